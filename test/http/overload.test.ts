import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { waitingMax } from '../../providers/local/signer.ts'
import { InFlight } from '../../src/http/in-flight.ts'
import type { Signer } from '../../src/signing/signer.ts'
import { bulkhead } from '../../src/lib/bulkhead.ts'
import { goodClaims, house, houseKeys } from '../support/house.ts'
import { type Answer, signListener, signPath } from '../support/sign-listener.ts'
import { memoryKey } from '../support/memory-key.ts'
import { heldVersion } from '../support/signing-service.ts'

const allMax = 2_048
const ofCallerMax = 128
const ofKeyMax = 64
const overloaded = expect.objectContaining({ code: 'overloaded' })

describe('requests in flight', () => {
  test('one caller has a sixteenth of them, and takes nobody else’s', () => {
    const inFlight = new InFlight()
    const held = Array.from({ length: ofCallerMax }, (_, i) => inFlight.enter('greedy', `${i % 2}`))
    expect(() => inFlight.enter('greedy', 'another')).toThrow(overloaded)
    const other = inFlight.enter('modest', '0')
    other[Symbol.dispose]()
    held[0]?.[Symbol.dispose]()
    expect(() => inFlight.enter('greedy', 'another')).not.toThrow()
  })

  test('one key of a caller has half of the caller’s, and leaves its other keys the rest', () => {
    const inFlight = new InFlight()
    const held = Array.from({ length: ofKeyMax }, () => inFlight.enter('greedy', 'slow'))
    expect(() => inFlight.enter('greedy', 'slow')).toThrow(overloaded)
    for (let i = 0; i < ofCallerMax - ofKeyMax; i += 1) inFlight.enter('greedy', 'quick')
    expect(() => inFlight.enter('greedy', 'quick')).toThrow(overloaded)
    expect(() => inFlight.enter('modest', 'slow')).not.toThrow()
    held[0]?.[Symbol.dispose]()
    expect(() => inFlight.enter('greedy', 'slow')).not.toThrow()
  })

  test('all callers together have a bound, too', () => {
    const inFlight = new InFlight()
    for (let i = 0; i < allMax; i += 1) inFlight.enter(`caller-${i % 16}`, `${i % 32}`)
    expect(() => inFlight.enter('another', 'key')).toThrow(overloaded)
  })
})

test('what is beyond the bound is refused before any work: no vault, no record, no token', async () => {
  const gate = Promise.withResolvers<void>()
  const { vault, ...setting } = house()
  const inFlight = new InFlight()
  for (let i = 0; i < ofCallerMax - ofKeyMax; i += 1) inFlight.enter('blog-backend', 'another')
  const { audit, ...listener } = await signListener(setting, { inFlight })
  audit.answerIntents(async () => {
    await gate.promise
    return 0
  })
  const send = (key = 'reports') => listener.ask(signPath(key), { body: goodClaims })
  const waiting = Array.from({ length: ofKeyMax }, () => send())
  while (vault.calls.length < ofKeyMax) await turn()
  const beyond = await send()
  expect([beyond.status, beyond.body['code']]).toEqual([503, 'overloaded'])
  expect(beyond.headers.get('retry-after')).toBe('1')
  expect((await send('limited')).body['code']).toBe('overloaded')
  expect(vault.calls).toHaveLength(ofKeyMax)
  expect([audit.asked.length, audit.denials.length]).toEqual([ofKeyMax, 0])
  gate.resolve()
  const statuses = (await Promise.all(waiting)).map(({ status }) => status)
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect((await send()).status).toBe(200)
  // Its one token is still there.
  expect((await send('limited')).status).toBe(200)
  expect((await send('limited')).body['code']).toBe('rate_limited')
})

/** A vault whose queue is as long as the local one's, and which signs when it is told to. */
function queueingVault(signer: Signer) {
  const gate = Promise.withResolvers<void>()
  const pool = bulkhead(3, waitingMax)
  const queueing: Signer = {
    publicKey: (signal) => signer.publicKey(signal),
    sign: (input, row, signal) =>
      pool.run(async () => {
        await gate.promise
        return signer.sign(input, row, signal)
      }, signal),
  }
  return { queueing, letGo: () => gate.resolve() }
}

/** One caller sends a thousand at once, then another sends 64: all to one vault. */
async function flooded(inFlight?: InFlight) {
  const { queueing, letGo } = queueingVault(memoryKey('ES256').signer)
  const { grants } = house()
  const held = [houseKeys.reports, houseKeys.hidden].map((key) =>
    heldVersion(key, { signer: queueing }),
  )
  const part = inFlight ? { inFlight } : {}
  const listener = await signListener({ held, grants }, part)
  const send = (key: string, as: string) => listener.ask(signPath(key), { body: goodClaims, as })
  const flood = Array.from({ length: 1_000 }, () => send('reports', 'blog-backend'))
  const others = Array.from({ length: 64 }, () => send('hidden', 'other-app'))
  while (listener.audit.asked.length < ofKeyMax + 64) await turn()
  await turn()
  letGo()
  return { flood: counted(await Promise.all(flood)), others: counted(await Promise.all(others)) }
}

function counted(answers: readonly Answer[]): Readonly<Record<string, number>> {
  const codes = Map.groupBy(answers, ({ body: { code = 'ok' } }) => JSON.stringify(code))
  return Object.fromEntries([...codes].map(([code, all]) => [JSON.parse(code), all.length]))
}

describe('a caller that floods the service', () => {
  test('is refused what is too much, and takes no place from any other', async () => {
    expect(await flooded()).toEqual({
      flood: { ok: ofKeyMax, overloaded: 1_000 - ofKeyMax },
      others: { ok: 64 },
    })
  })

  test('is answered on its other keys, whatever the vault of the one does', async () => {
    const { queueing, letGo } = queueingVault(memoryKey('ES256').signer)
    const slow = heldVersion(houseKeys.reports, { signer: queueing })
    const quick = heldVersion(houseKeys.hidden, { signer: memoryKey('ES256').signer })
    const grants = house().grants.map((grant) => ({ ...grant, caller: 'blog-backend' }))
    const listener = await signListener({ held: [slow, quick], grants })
    const send = (key: string) => listener.ask(signPath(key), { body: goodClaims })
    const flood = Array.from({ length: 1_000 }, () => send('reports'))
    const others = Array.from({ length: 32 }, () => send('hidden'))
    expect(counted(await Promise.all(others))).toEqual({ ok: 32 })
    letGo()
    await Promise.all(flood)
  })

  test('would, without a bound of its own, have others refused: the count shows it', async () => {
    const { others } = await flooded(new InFlight(Infinity))
    expect(others['overloaded']).toBeGreaterThan(0)
  })
})

test('a refused request takes its token as any other does', async () => {
  const listener = await signListener(house())
  const send = (claims: object) => listener.ask(signPath('limited'), { body: { claims } })
  expect((await send({ sub: '42', role: 'writer' })).body['code']).toBe('claims_refused')
  expect((await send({ sub: '42' })).body['code']).toBe('rate_limited')
})
