import { expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import type { Proof } from '../../src/keys/proof.ts'
import { logger } from '../../src/lib/log.ts'
import { heartbeat } from '../../src/service/heartbeat.ts'
import { manualClock } from '../support/manual-clock.ts'

const proved: Proof = { key: 'blog', n: 2, code: 'ok', at: 7 }

/** A process whose store may fail, looked at every half second. */
function process() {
  const clock = manualClock()
  const lines: string[] = []
  const said: [ms: number, proofs: readonly Proof[]][] = []
  const state: { found: { revision: number; proofs: readonly Proof[] }; failure: unknown } = {
    found: { revision: 0, proofs: [] },
    failure: undefined,
  }
  const beat = heartbeat({
    found: () => state.found,
    async beat(proofs) {
      if (state.failure !== undefined) throw state.failure
      said.push([clock.monotonicMs(), proofs])
    },
    clock,
    log: logger({ write: (line) => lines.push(line) }),
  })
  const pass = async (ms: number) => {
    for (const end = clock.monotonicMs() + ms; clock.monotonicMs() < end; clock.advance(500)) {
      await beat()
    }
  }
  return { state, said, lines, pass }
}

test('a process says at once that it serves, and then every 5 s', async () => {
  const { said, pass } = process()
  await pass(16_000)
  expect(said.map(([ms]) => ms)).toEqual([0, 5_000, 10_000, 15_000])
})

test('what it has proved is told at once: a switch may wait for it', async () => {
  const { state, said, pass } = process()
  await pass(2_000)
  state.found = { revision: 1, proofs: [proved] }
  await pass(6_000)
  expect(said).toEqual([
    [0, []],
    [2_000, [proved]],
    [7_000, [proved]],
  ])
})

test('what the store did not take is told again until it does, and complained of once', async () => {
  const { state, said, lines, pass } = process()
  state.failure = new ServiceError('store_unavailable', 'The disk is full')
  state.found = { revision: 1, proofs: [proved] }
  await pass(3_000)
  expect(said).toEqual([])
  state.failure = undefined
  await pass(500)
  expect(said).toEqual([[3_000, [proved]]])
  state.failure = new ServiceError('store_unavailable', 'The disk is full again')
  await pass(10_000)
  expect(lines.filter((line) => line.includes('heartbeat'))).toHaveLength(2)
})
