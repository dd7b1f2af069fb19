import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { logger } from '../../src/lib/log.ts'
import { SigningKeys } from '../../src/service/signing-keys.ts'
import { signMessage } from '../../src/signing/sign.ts'
import { houseKeys } from '../support/house.ts'
import { manualClock } from '../support/manual-clock.ts'
import { memoryKey } from '../support/memory-key.ts'
import { isPending, settle } from '../support/pending.ts'
import {
  changeStore,
  type Held,
  heldVersion,
  patience,
  signingKeysOver,
} from '../support/signing-service.ts'

const { reports, documents, mac, bot } = houseKeys
const message = new Uint8Array([1, 2, 3])

async function loaded(...held: readonly Held[]) {
  const lines: string[] = []
  const made = signingKeysOver(held, { log: logger({ write: (line) => lines.push(line) }) })
  await made.keys.reload(patience)
  return { ...made, lines }
}

function failureOf(keys: SigningKeys, key: string): unknown {
  try {
    return keys.active(key)
  } catch (error) {
    return error
  }
}

const unusable = (message_: string) =>
  expect.objectContaining({ code: 'vault_key_unusable', message: message_ })

describe('a version that is opened', () => {
  test('signs with the key that was recorded', async () => {
    const { keys } = await loaded(heldVersion(reports), heldVersion(mac))
    for (const key of ['reports', 'mac']) {
      const { version, signingKey } = keys.active(key)
      expect(version).toMatchObject({ key, n: 1 })
      await expect(signMessage(signingKey, message, patience)).resolves.toBeInstanceOf(Uint8Array)
    }
    expect(keys.activeCount).toBe(2)
  })

  test('is opened once, however often the store is read', async () => {
    const { keys, state } = await loaded(heldVersion(reports))
    await keys.reload(patience)
    changeStore(state, state.now)
    await keys.reload(patience)
    expect(state.opened).toEqual(['canary-resource-reports-1'])
  })

  test('is one that signs, or may sign after a switch: no other state is opened', async () => {
    const states = ['created', 'published', 'retiring', 'retired', 'revoked', 'destroyed'] as const
    const others = states.map((state, i) => heldVersion(reports, { n: i + 2, state }))
    const { state } = await loaded(heldVersion(reports), ...others)
    expect(state.opened).toEqual([1, 2, 3].map((n) => `canary-resource-reports-${n}`))
  })

  test('and was proved before its switch is not opened again by it', async () => {
    const second = (state: 'published' | 'active') =>
      heldVersion(reports, { n: 2, state, memory: memoryKey('ES256', 'other') })
    const { keys, state } = await loaded(heldVersion(reports), second('published'))
    expect(keys.active('reports').version.n).toBe(1)
    changeStore(state, [heldVersion(reports, { state: 'retiring' }), second('active')])
    await keys.reload(patience)
    expect(keys.active('reports').version.n).toBe(2)
    expect(state.opened).toEqual([1, 2].map((n) => `canary-resource-reports-${n}`))
  })

  test('is not waited for while it cannot sign anyway', async () => {
    const { keys, state } = signingKeysOver([heldVersion(reports), heldVersion(documents)])
    await keys.reload(patience)
    state.beforeOpen = () => Promise.withResolvers<void>().promise
    changeStore(state, [
      heldVersion(reports),
      heldVersion(reports, { n: 2, state: 'published', memory: memoryKey('ES256', 'other') }),
    ])
    await keys.reload(patience)
    expect(keys.visible('reports')).toHaveLength(2)
  })
})

describe('a vault that holds something else than was recorded', () => {
  const other = memoryKey('ES256', 'other')
  const wrong = 'The vault holds another key than was recorded'

  test.each<[string, Held, ReturnType<typeof unusable>]>([
    ['another public key', heldVersion(reports, { signer: other.signer }), unusable(wrong)],
    [
      'no public key',
      heldVersion(reports, { signer: { ...other.signer, publicKey: async () => undefined } }),
      unusable(wrong),
    ],
    [
      'a key of which none was recorded',
      heldVersion(reports, { spki: undefined }),
      unusable(wrong),
    ],
    [
      'another secret',
      heldVersion(mac, { signer: memoryKey('HS256', 'other').signer }),
      unusable('The vault holds another secret than was recorded'),
    ],
    [
      'a secret of which none was recorded',
      heldVersion(mac, { knownAnswer: undefined }),
      unusable('The vault holds another secret than was recorded'),
    ],
    [
      'a key of another algorithm',
      heldVersion(reports, { memory: memoryKey('ES384') }),
      unusable('The key does not fit ES256: not on P-256'),
    ],
  ])('%s is refused before anything is signed with it', async (_, held, refusal) => {
    const key = held.version.key
    const { keys } = await loaded(held)
    expect(failureOf(keys, key)).toEqual(refusal)
  })

  test('a vault that is not configured', async () => {
    const { keys } = await loaded(heldVersion(reports, { vault: 'elsewhere' }))
    expect(failureOf(keys, 'reports')).toMatchObject({ code: 'vault_unavailable' })
  })
})

describe('a version that cannot be opened', () => {
  async function halfOpen() {
    const made = signingKeysOver([heldVersion(reports), heldVersion(documents)])
    made.state.beforeOpen = (_, resource) => {
      if (resource.includes('documents')) throw new ServiceError('vault_unavailable', 'No answer')
    }
    await made.keys.reload(patience)
    return made
  }

  test('leaves the others as they are', async () => {
    const { keys } = await halfOpen()
    expect(keys.active('reports').version.n).toBe(1)
    expect(failureOf(keys, 'documents')).toMatchObject({ code: 'vault_unavailable' })
  })

  test('still counts, and still shows its fingerprints: its vault is down, it is not gone', async () => {
    const { keys } = await halfOpen()
    expect(keys.activeCount).toBe(2)
    expect(keys.visible('documents')).toHaveLength(1)
    expect(keys.activeKid('documents')).toBe(heldVersion(documents).version.kid)
  })

  test('is tried again with the next reading, also when nothing has changed', async () => {
    const { keys, state } = await halfOpen()
    state.beforeOpen = () => {}
    await keys.reload(patience)
    expect(keys.active('documents').version.n).toBe(1)
    expect(state.opened).toEqual(['canary-resource-reports-1', 'canary-resource-documents-1'])
  })

  test('is tried less and less often: its vault may bill for being asked', async () => {
    const clock = manualClock()
    const { keys, state } = signingKeysOver([heldVersion(documents)], { clock })
    let asked = 0
    state.beforeOpen = () => {
      asked += 1
      throw new ServiceError('vault_throttled', 'Too many')
    }
    const askedAt: number[] = []
    for (const end = 120_000; clock.monotonicMs() < end; clock.advance(500)) {
      const before = asked
      await keys.reload(patience)
      if (asked > before) askedAt.push(clock.monotonicMs())
    }
    expect(askedAt).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 31_500, 61_500, 91_500])
    state.beforeOpen = () => {}
    clock.advance(30_000)
    await keys.reload(patience)
    expect(keys.active('documents').version.n).toBe(1)
  })

  test('and whose vault does not answer keeps no other key from its new version', async () => {
    const { keys, state } = signingKeysOver([heldVersion(reports), heldVersion(documents)])
    await keys.reload(patience)
    const never = Promise.withResolvers<void>()
    state.beforeOpen = (_, resource) =>
      resource.endsWith('documents-2') ? never.promise : undefined
    const next = (key: typeof reports) => [
      heldVersion(key, { state: 'retiring' }),
      heldVersion(key, { n: 2, memory: memoryKey(key.algorithm.name, 'other') }),
    ]
    changeStore(state, [...next(reports), ...next(documents)])
    await keys.refresh(patience)
    await keys.reload(patience, 'reports')
    expect(keys.active('reports').version.n).toBe(2)
    expect(keys.active('documents').version.n).toBe(1) // the one that was open, until the other is
    expect(await isPending(keys.reload(patience, 'documents'))).toBe(true)
    never.resolve()
    await keys.reload(patience, 'documents')
    expect(keys.active('documents').version.n).toBe(2)
  })

  test('is complained of in the log, with its name and not with its resource', async () => {
    const { lines } = await loaded(heldVersion(reports, { spki: undefined }))
    expect(lines.join('')).toContain('"version":"reports@1"')
    expect(lines.join('')).not.toContain('canary-resource')
  })
})

describe('reading the store', () => {
  test('fails: what was read before goes on', async () => {
    const { keys, state } = await loaded(heldVersion(reports))
    const failure = new ServiceError('audit_unavailable', 'The state could not be read')
    state.failure = failure
    await expect(keys.reload(patience)).rejects.toBe(failure)
    expect(keys.active('reports').version.n).toBe(1)
    expect(keys.visible('reports')).toHaveLength(1)
    state.failure = undefined
    await expect(keys.reload(patience)).resolves.toBeUndefined()
  })

  test('shows a new signing version, and forgets the one that signs no more', async () => {
    const { keys, state } = await loaded(heldVersion(reports))
    const second = heldVersion(reports, { n: 2, memory: memoryKey('ES256', 'other') })
    changeStore(state, [heldVersion(reports, { state: 'retiring' }), second])
    await keys.reload(patience)
    expect(keys.active('reports').version.n).toBe(2)
    expect(keys.visible('reports').map(({ n, state: now }) => [n, now])).toEqual([
      [1, 'retiring'],
      [2, 'active'],
    ])
    changeStore(state, [])
    await keys.reload(patience)
    expect(failureOf(keys, 'reports')).toMatchObject({ code: 'no_active_version' })
    expect([keys.activeCount, keys.visible('reports')]).toEqual([0, []])
  })

  test('keeps nothing open of a version that has ended', async () => {
    const { keys, state } = await loaded(heldVersion(reports))
    changeStore(state, [heldVersion(reports, { state: 'revoked' })])
    await keys.reload(patience)
    await settle()
    expect(keys.openVersions).toEqual([])
    changeStore(state, [heldVersion(reports)]) // which no store says, but it shows what was kept
    await keys.reload(patience)
    expect(state.opened).toEqual(Array(2).fill('canary-resource-reports-1'))
  })

  test('counts no version that has ended as open, while another key waits for its vault', async () => {
    const { keys, state } = await loaded(heldVersion(reports), heldVersion(documents))
    state.beforeOpen = () => Promise.withResolvers<void>().promise
    const second = heldVersion(documents, { n: 2, memory: memoryKey('PS256', 'other') })
    changeStore(state, [heldVersion(reports, { state: 'revoked' }), second])
    await keys.refresh(patience)
    await settle()
    expect(keys.openVersions).toEqual([])
  })

  test('costs as much for each key, however many there are', async () => {
    const [few, many] = [await looksPerKey(20), await looksPerKey(200)]
    expect(few).toBeGreaterThan(0)
    expect(many).toBe(few)
  })

  test('is shared by those who ask at once', async () => {
    const { keys, state } = signingKeysOver([heldVersion(reports)])
    await Promise.all([keys.reload(patience), keys.reload(patience), keys.reload(patience)])
    expect(state.opened).toEqual(['canary-resource-reports-1'])
  })

  test('that had begun when something changed is followed by another, for whoever knows of it', async () => {
    const { keys, state } = signingKeysOver([heldVersion(bot)])
    const opening = Promise.withResolvers<void>()
    state.beforeOpen = () => opening.promise
    const first = keys.reload(patience)
    await settle() // the store has been read, and a vault is slow
    changeStore(state, [heldVersion(bot), heldVersion(reports)])
    const second = keys.reload(patience)
    expect(failureOf(keys, 'reports')).toMatchObject({ code: 'no_active_version' })
    expect(await isPending(second)).toBe(true)
    opening.resolve()
    await first
    await second
    expect(keys.active('reports').version.n).toBe(1)
  })

  test.each([1, 2, 3])(
    'goes on for the others when one of them stops waiting, whichever it is: %i',
    async (which) => {
      const { keys, state } = signingKeysOver([heldVersion(reports)])
      const opening = Promise.withResolvers<void>()
      state.beforeOpen = async (signal) => {
        await opening.promise
        signal.throwIfAborted()
      }
      const impatient = new AbortController()
      const callers = [1, 2, 3].map((n) => keys.reload(n === which ? impatient.signal : patience))
      await settle()
      impatient.abort(new ServiceError('deadline_exceeded', 'The deadline passed'))
      await expect(callers[which - 1]).rejects.toMatchObject({ code: 'deadline_exceeded' })
      const others = Promise.all(callers.filter((_, i) => i !== which - 1))
      expect(await isPending(others)).toBe(true)
      opening.resolve()
      await others
      expect(keys.active('reports').version.n).toBe(1)
    },
  )
})

/** How often each version's state is looked at when another reading of the store has come. */
async function looksPerKey(count: number): Promise<number> {
  let looks = 0
  const names = Array.from({ length: count }, (_, i) => `key-${i}`)
  const held = () =>
    names.map((key) => {
      const one = heldVersion(reports, { key, resource: key })
      const { state } = one.version
      const look = () => {
        looks += 1
        return state
      }
      Object.defineProperty(one.version, 'state', { get: look })
      return one
    })
  const { keys, state } = await loaded(...held())
  changeStore(state, held())
  looks = 0
  await keys.reload(patience)
  await settle()
  return looks / count
}
