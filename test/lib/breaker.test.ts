import { describe, expect, test } from 'vitest'
import { breaker, type Breaker, openMs, type Sign } from '../../src/lib/breaker.ts'
import { manualClock } from '../support/manual-clock.ts'

class Failed extends Error {
  readonly sign: Sign

  constructor(sign: Sign) {
    super(sign)
    this.sign = sign
  }
}

const signOf = (error: unknown): Sign => (error instanceof Failed ? error.sign : 'up')

function made() {
  const clock = manualClock()
  return { clock, of: breaker(clock, signOf) }
}

/** One request that is answered with this, or not sent. */
async function put(of: Breaker, outcome: 'ok' | Sign): Promise<'refused' | 'ok' | Sign> {
  if (of.refusedForMs() !== undefined) return 'refused'
  const work = async () => {
    if (outcome !== 'ok') throw new Failed(outcome)
    return outcome
  }
  return of.run(work).catch(signOf)
}

async function putAll(of: Breaker, outcomes: readonly ('ok' | Sign)[]) {
  const seen: string[] = []
  for (const outcome of outcomes) seen.push(await put(of, outcome))
  return seen
}

const downs = (count: number) => Array.from({ length: count }, () => 'down' as const)

async function opened() {
  const { clock, of } = made()
  await putAll(of, downs(5))
  return { clock, of }
}

describe('it opens', () => {
  test('when five of five had no answer, and not before', async () => {
    const { of } = made()
    await putAll(of, downs(4))
    expect(of.state).toBe('closed')
    await put(of, 'down')
    expect([of.state, of.refusedForMs()]).toEqual(['open', openMs])
    expect(await put(of, 'ok')).toBe('refused')
  })

  test('when more than half of the last twenty had none', async () => {
    const { of } = made()
    await putAll(
      of,
      Array.from({ length: 20 }, () => 'ok' as const),
    )
    await putAll(of, downs(10))
    expect(of.state).toBe('closed')
    await put(of, 'down')
    expect(of.state).toBe('open')
  })

  test('never by answers that refuse, nor by callers that did not wait', async () => {
    const { of } = made()
    await putAll(
      of,
      Array.from({ length: 100 }, () => 'up' as const),
    )
    await putAll(
      of,
      Array.from({ length: 100 }, () => 'unknown' as const),
    )
    expect(of.state).toBe('closed')
  })
})

describe('open', () => {
  test('it says how long: less and less', async () => {
    const { clock, of } = await opened()
    clock.advance(1_200)
    expect(of.refusedForMs()).toBe(openMs - 1_200)
  })

  test('it lets nothing through before its time, whatever the wall clock does', async () => {
    const { clock, of } = await opened()
    clock.step(3_600_000)
    clock.advance(openMs - 1)
    expect(await put(of, 'ok')).toBe('refused')
    clock.step(-7_200_000)
    clock.advance(1)
    expect(await put(of, 'ok')).toBe('ok')
  })

  test('then it lets one through, and refuses the others until that one is answered', async () => {
    const { clock, of } = await opened()
    clock.advance(openMs)
    const trial = Promise.withResolvers<string>()
    const trying = of.run(() => trial.promise)
    expect(of.state).toBe('half_open')
    expect([await put(of, 'ok'), of.refusedForMs()]).toEqual(['refused', 1_000])
    trial.resolve('answered')
    expect(await trying).toBe('answered')
    expect([of.state, await put(of, 'ok')]).toEqual(['closed', 'ok'])
  })

  test.each([
    ['no answer: it stays open, as long again', 'down', 'open'],
    ['an answer that refuses is one', 'up', 'closed'],
    ['an answer', 'ok', 'closed'],
  ] as const)('the one that is let through: %s', async (_, outcome, state) => {
    const { clock, of } = await opened()
    clock.advance(openMs)
    expect(await put(of, outcome)).toBe(outcome)
    expect([of.state, of.refusedForMs()]).toEqual([state, state === 'open' ? openMs : undefined])
  })

  test('one that is given up has shown nothing: the next may try at once, and is refused nothing', async () => {
    const { clock, of } = await opened()
    clock.advance(openMs)
    for (let trial = 0; trial < 20; trial += 1) {
      expect(await put(of, 'unknown')).toBe('unknown')
      expect([of.state, of.refusedForMs()]).toEqual(['open', undefined])
    }
    expect(await put(of, 'ok')).toBe('ok')
    expect(of.state).toBe('closed')
  })

  test('once closed, old failures are forgotten', async () => {
    const { clock, of } = await opened()
    clock.advance(openMs)
    await put(of, 'ok')
    await putAll(of, downs(3))
    expect(of.state).toBe('closed')
  })
})
