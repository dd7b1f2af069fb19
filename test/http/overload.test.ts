import { describe, expect, test } from 'vitest'
import { InFlight } from '../../src/http/in-flight.ts'
import { goodClaims, house } from '../support/house.ts'
import { signListener, signPath } from '../support/sign-listener.ts'

const ofCallerMax = 512
const overloaded = expect.objectContaining({ code: 'overloaded' })

describe('requests in flight', () => {
  test('one caller has a quarter of them, and takes nobody else’s', () => {
    const inFlight = new InFlight()
    const held = Array.from({ length: ofCallerMax }, () => inFlight.enter('greedy'))
    expect(() => inFlight.enter('greedy')).toThrow(overloaded)
    const other = inFlight.enter('modest')
    other[Symbol.dispose]()
    held[0]?.[Symbol.dispose]()
    expect(() => inFlight.enter('greedy')).not.toThrow()
  })

  test('all callers together have a bound, too', () => {
    const inFlight = new InFlight()
    for (const caller of ['a', 'b', 'c', 'd']) {
      for (let i = 0; i < ofCallerMax; i += 1) inFlight.enter(caller)
    }
    expect(() => inFlight.enter('e')).toThrow(overloaded)
  })
})

test('what is beyond the bound is refused at once; what came before it is answered', async () => {
  const gate = Promise.withResolvers<void>()
  const { audit, ...listener } = await signListener(house())
  audit.answerIntents(async () => {
    await gate.promise
    return 0
  })
  const send = () => listener.ask(signPath('reports'), { body: goodClaims })
  const waiting = Array.from({ length: ofCallerMax }, send)
  const beyond = await send()
  expect([beyond.status, beyond.body['code']]).toEqual([503, 'overloaded'])
  expect(beyond.headers.get('retry-after')).toBe('1')
  gate.resolve()
  const statuses = (await Promise.all(waiting)).map(({ status }) => status)
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect((await send()).status).toBe(200)
})
