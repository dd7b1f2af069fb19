import { describe, expect, test } from 'vitest'
import { type ErrorCode, problemCodes, ServiceError } from '../../src/errors.ts'
import { logger } from '../../src/lib/log.ts'
import { inspectionOf } from '../../src/service/opened-versions.ts'
import { reinspection } from '../../src/service/reinspection.ts'
import { houseKeys } from '../support/house.ts'
import { manualClock } from '../support/manual-clock.ts'
import { memoryKey } from '../support/memory-key.ts'
import { settle } from '../support/pending.ts'
import {
  changeStore,
  type Held,
  heldVersion,
  patience,
  signingKeysOver,
} from '../support/signing-service.ts'

const { reports, documents, mac } = houseKeys

/** Versions that are open, and what happens when they are looked at again. */
async function opened(...held: readonly Held[]) {
  const lines: string[] = []
  const log = logger({ write: (line) => lines.push(line) })
  const clock = manualClock()
  const { keys, state } = signingKeysOver(held, { log, clock })
  await keys.reload(patience)
  const suspended: string[] = []
  const results: string[] = []
  const store = { failure: undefined as unknown }
  const { round, lookAgain } = reinspection({
    keys,
    suspend: async (name, reason) => {
      if (store.failure !== undefined) throw store.failure
      suspended.push(`${name}: ${reason}`)
      return true
    },
    observe: (vault, result) => void results.push(`${vault} ${result}`),
    log,
  })
  /** A round, and the time after it in which a change must last. */
  const inspectAgain = async () => {
    await round()
    for (let tick = 0; tick < 4; tick += 1) await lookAgain()
  }
  return { keys, state, clock, lines, suspended, results, store, round, lookAgain, inspectAgain }
}

const saying = (code: ErrorCode) => () => {
  throw new ServiceError(code, 'The vault says otherwise', { cause: new Error('arn:aws:canary') })
}

const codeOf = (sign: () => unknown): string => {
  try {
    sign()
    return 'ok'
  } catch (error) {
    return error instanceof ServiceError ? error.code : String(error)
  }
}

test('what is as it was signs on, and nothing is written', async () => {
  const { inspectAgain, keys, suspended, results, state } = await opened(
    heldVersion(reports),
    heldVersion(mac),
  )
  await inspectAgain()
  expect(state.opened).toHaveLength(4)
  expect([suspended, results]).toEqual([[], ['local unchanged', 'local unchanged']])
  expect([codeOf(() => keys.active('reports')), codeOf(() => keys.active('mac'))]).toEqual([
    'ok',
    'ok',
  ])
})

describe('a version that has changed in its vault', () => {
  test('signs no more in this process, at once, and is suspended with the vault’s reason', async () => {
    const { inspectAgain, keys, suspended, results, state, lines } = await opened(
      heldVersion(reports),
      heldVersion(documents),
    )
    state.beforeOpen = (_, resource) => {
      if (resource.includes('reports')) saying('vault_key_unusable')()
    }
    await inspectAgain()
    expect(suspended).toEqual(['reports@1: The vault says otherwise'])
    expect(results.toSorted()).toEqual(['local changed', 'local unchanged'])
    expect(codeOf(() => keys.active('reports'))).toBe('vault_key_unusable')
    expect(codeOf(() => keys.active('documents'))).toBe('ok')
    expect(lines.filter((line) => line.includes('version suspended'))).toHaveLength(1)
  })

  test('is one whose public key is another', async () => {
    const held = heldVersion(reports)
    const { inspectAgain, suspended, state } = await opened(held)
    state.now = [{ ...held, signer: memoryKey('ES256', 'other').signer }]
    await inspectAgain()
    expect(suspended).toEqual(['reports@1: The vault holds another key than was recorded'])
  })

  test('is one whose secret is another', async () => {
    const held = heldVersion(mac)
    const { inspectAgain, suspended, state } = await opened(held)
    state.now = [{ ...held, signer: memoryKey('HS256', 'other').signer }]
    await inspectAgain()
    expect(suspended).toEqual(['mac@1: The vault holds another secret than was recorded'])
  })

  /** Seeded: with two looks at once, as it was, the first tick finds it suspended. */
  test('has shown it at three looks, each a whole time after the last, and signs until then', async () => {
    const { round, lookAgain, keys, suspended, state } = await opened(heldVersion(reports))
    let looks = 0
    state.beforeOpen = () => {
      looks += 1
      saying('vault_key_unusable')()
    }
    await round()
    for (const looked of [1, 1, 2, 2]) {
      expect([suspended, codeOf(() => keys.active('reports')), looks]).toEqual([[], 'ok', looked])
      await lookAgain()
    }
    expect(suspended).toEqual(['reports@1: The vault says otherwise'])
    expect(codeOf(() => keys.active('reports'))).toBe('vault_key_unusable')
  })

  test('is not one that has been revoked meanwhile: its revocation disables it', async () => {
    const { round, lookAgain, keys, suspended, lines, state } = await opened(heldVersion(reports))
    state.beforeOpen = saying('vault_key_unusable')
    await round()
    changeStore(state, [heldVersion(reports, { state: 'revoked' })])
    await keys.refresh(patience)
    for (let tick = 0; tick < 4; tick += 1) await lookAgain()
    expect(suspended).toEqual([])
    expect(lines.filter((line) => line.includes('changed in its vault'))).toHaveLength(1)
  })

  test.each([1, 2])('is not one that only looked so %i times', async (times) => {
    const { inspectAgain, keys, suspended, state } = await opened(heldVersion(reports))
    const answers = Array.from({ length: times }, () => saying('vault_key_unusable'))
    state.beforeOpen = () => answers.shift()?.()
    await inspectAgain()
    expect([suspended, codeOf(() => keys.active('reports'))]).toEqual([[], 'ok'])
  })

  test('is opened again by this process when it has been put back', async () => {
    const { inspectAgain, keys, state, clock } = await opened(heldVersion(reports))
    state.beforeOpen = saying('vault_key_unusable')
    await inspectAgain()
    state.beforeOpen = () => {}
    clock.advance(1_000)
    await keys.reload(patience)
    expect(codeOf(() => keys.active('reports'))).toBe('ok')
  })

  test('is suspended in the store as soon as that can be written', async () => {
    const { inspectAgain, suspended, state, store, lines } = await opened(heldVersion(reports))
    state.beforeOpen = saying('vault_key_unusable')
    store.failure = new ServiceError('store_unavailable', 'disk full')
    await inspectAgain()
    expect([suspended, lines.join('').includes('a suspension was not stored')]).toEqual([[], true])
    store.failure = undefined
    await inspectAgain()
    await inspectAgain()
    expect(suspended).toEqual(['reports@1: The vault says otherwise'])
  })
})

describe('a vault that cannot be asked', () => {
  const others = problemCodes.filter(
    (code) => code !== 'vault_key_unusable' && code !== 'vault_denied',
  )

  test.each(others)('%s is no change', async (code) => {
    const { inspectAgain, keys, suspended, results, state } = await opened(heldVersion(reports))
    state.beforeOpen = saying(code)
    await inspectAgain()
    expect([suspended, results]).toEqual([[], ['local unknown']])
    expect(codeOf(() => keys.active('reports'))).toBe('ok')
  })

  test('one that denies the look: no change, but an error in the log each time, and counted', async () => {
    const { inspectAgain, keys, suspended, results, state, lines } = await opened(
      heldVersion(reports),
    )
    state.beforeOpen = saying('vault_denied')
    await inspectAgain()
    await inspectAgain()
    expect([suspended, results]).toEqual([[], ['local denied', 'local denied']])
    expect(codeOf(() => keys.active('reports'))).toBe('ok')
    const told = lines.filter((line) => line.includes('its vault denies it'))
    expect(told).toHaveLength(2)
    expect(told[0]).toContain('"level":"error"')
  })

  test('a bug on the way is none either', () => {
    expect(inspectionOf(new ServiceError('internal_error', 'a bug')).verdict).toBe('unknown')
  })

  test('holds up no other vault’s versions', async () => {
    const { state, keys } = await opened(heldVersion(reports))
    state.beforeOpen = () => new Promise(() => {})
    const seen: string[] = []
    const [slow] = keys.openVersions
    if (!slow) throw new Error('nothing is open')
    const { round } = reinspection({
      keys: {
        close: () => {},
        openVersions: [slow, { ...slow, vault: 'other', key: documents.name }],
        inspect: (version) =>
          version.vault === 'other'
            ? Promise.resolve({ verdict: 'unchanged' })
            : keys.inspect(version),
      },
      suspend: async () => true,
      observe: (vault, result) => void seen.push(`${vault} ${result}`),
      log: logger({ write() {} }),
    })
    void round()
    await settle()
    expect(seen).toEqual(['other unchanged'])
  })
})

test('what could not be opened is not looked at again: it signs nothing', async () => {
  const { keys, state } = signingKeysOver([heldVersion(reports)])
  state.beforeOpen = saying('vault_unavailable')
  await keys.reload(patience)
  expect(keys.openVersions).toEqual([])
})
