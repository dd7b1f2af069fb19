import { describe, expect, test } from 'vitest'
import type { Proof, ProofCode } from '../../src/keys/proof.ts'
import type { Heartbeat } from '../../src/store/heartbeats.ts'
import { unprovedBy } from '../../src/store/proofs.ts'
import {
  auditOfThisTest,
  rawOfThisTest,
  storeFile,
  storeOfThisTest,
} from '../support/store-file.ts'

const hour = 3_600_000
const now = 10 * hour
const second = { key: 'blog', n: 2 }

function proofOf(code: ProofCode, part: Partial<Proof> = {}): Proof {
  return { ...second, code, at: now, ...part }
}

function heartbeat(...proofs: readonly Proof[]): Heartbeat {
  return { host: 'node-1', pid: 42, proofs }
}

/** A store, and processes that say in it that they serve. */
async function house() {
  const file = await storeFile()
  const { connection } = await storeOfThisTest(file)
  const clocks = { now, monotonicMs: 0 }
  const serving = (writer: string) => {
    const { audit } = auditOfThisTest(file, writer)
    return {
      beat: (...proofs: readonly Proof[]) => audit.beat(heartbeat(...proofs), clocks),
      leave: () => audit.leave(),
    }
  }
  const unproved = async (...versions: (typeof second)[]) => {
    const found = await unprovedBy(
      connection,
      versions.length > 0 ? versions : [second],
      clocks.now,
    )
    return found.map(({ process, key, n, code }) => [process.at(-1), `${key}@${n}`, code])
  }
  const processes = () =>
    rawOfThisTest(file).prepare('select id from processes order by id').all().length
  return { clocks, serving, unproved, processes, file, connection }
}

describe('who stands in the way of a switch', () => {
  test('nobody, where nobody serves', async () => {
    const { unproved } = await house()
    expect(await unproved()).toEqual([])
  })

  test('a process that serves and has not tried: it is named, with its host and pid', async () => {
    const { serving, connection, clocks } = await house()
    serving('S').beat()
    expect(await unprovedBy(connection, [second], clocks.now)).toEqual([
      { ...second, process: 'S'.padStart(26, '0'), host: 'node-1', pid: 42, code: undefined },
    ])
  })

  test('a process that could not sign, with the reason', async () => {
    const { serving, unproved } = await house()
    serving('S').beat(proofOf('vault_denied'))
    expect(await unproved()).toEqual([['S', 'blog@2', 'vault_denied']])
  })

  test('none that has proved the version; a proof of another version is none', async () => {
    const { serving, unproved } = await house()
    serving('S').beat(proofOf('ok'))
    serving('T').beat(proofOf('ok', { n: 3 }), proofOf('ok', { key: 'docs' }))
    expect(await unproved()).toEqual([['T', 'blog@2', undefined]])
    expect(await unproved({ key: 'blog', n: 3 })).toEqual([['S', 'blog@3', undefined]])
  })

  test('what a process proved once and cannot do any more counts no longer', async () => {
    const { serving, unproved } = await house()
    const process = serving('S')
    process.beat(proofOf('ok'))
    process.beat(proofOf('vault_key_unusable'))
    expect(await unproved()).toEqual([['S', 'blog@2', 'vault_key_unusable']])
    process.beat()
    expect(await unproved()).toEqual([['S', 'blog@2', undefined]])
  })
})

describe('a heartbeat', () => {
  test('younger than 30 s is that of a live process; at 30 s it is believed no longer', async () => {
    const { serving, unproved, clocks } = await house()
    serving('S').beat()
    clocks.now += 29_999
    expect(await unproved()).toHaveLength(1)
    clocks.now += 1
    expect(await unproved()).toEqual([])
  })

  test('from the future is believed: a clock that was set back lets nobody switch early', async () => {
    const { serving, unproved, clocks } = await house()
    serving('S').beat()
    clocks.now -= hour
    expect(await unproved()).toHaveLength(1)
  })

  test('is gone at once when the process stops, and no other is', async () => {
    const { serving, unproved, processes } = await house()
    const [stopping, staying] = [serving('S'), serving('T')]
    stopping.beat(proofOf('vault_denied'))
    staying.beat(proofOf('vault_throttled'))
    stopping.leave()
    expect(await unproved()).toEqual([['T', 'blog@2', 'vault_throttled']])
    expect(processes()).toBe(1)
  })

  test('that stops is removed by the others after 30 s of their own time', async () => {
    const { serving, processes, clocks } = await house()
    const [dead, live] = [serving('S'), serving('T')]
    dead.beat(proofOf('ok'))
    const counted: number[] = []
    for (; clocks.monotonicMs <= 40_000; clocks.monotonicMs += 5_000) {
      live.beat()
      counted.push(processes())
    }
    expect(counted).toEqual([2, 2, 2, 2, 2, 2, 1, 1, 1])
  })

  test.each([hour, -hour])(
    'of a live process is not removed when the clock jumps by %d ms',
    async (jump) => {
      const { serving, unproved, clocks } = await house()
      const [one, other] = [serving('S'), serving('T')]
      one.beat()
      other.beat()
      clocks.now += jump
      for (let i = 0; i < 10; i += 1) {
        clocks.monotonicMs += 5_000
        clocks.now += 5_000
        one.beat()
        other.beat()
        expect(await unproved()).toHaveLength(2)
      }
    },
  )

  test('that a step of the clock left in the future is removed all the same', async () => {
    const { serving, unproved, clocks } = await house()
    serving('S').beat()
    const live = serving('T')
    clocks.now -= hour
    live.beat(proofOf('ok'))
    clocks.monotonicMs += 30_000
    live.beat(proofOf('ok'))
    expect(await unproved()).toEqual([])
  })
})
