import { describe, expect, test } from 'vitest'
import type { Key } from '../../src/keys/key.ts'
import { planKey, rotateKey } from '../../src/rotation/tick.ts'
import { listKeyFacts } from '../../src/store/keys.ts'
import { changeState, findVersion, listVersionsOf } from '../../src/store/versions.ts'
import { openEntries } from '../../src/store/journal.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import { recordsOf } from '../support/command-deps.ts'
import { keyOf, profileSettings } from '../support/grant.ts'
import { keyMaker, type KeyMaker } from '../support/key-maker.ts'
import { askedFor, leaseOn, quiet, rotationDeps, runJob } from '../support/rotation-job.ts'
import { patience } from '../support/signing-service.ts'
import { storeFile, storeOfThisTest } from '../support/store-file.ts'

const documents = keyOf('documents')
const nothing = { kind: 'done', dueAt: undefined }

async function jobWith(maker: KeyMaker = keyMaker()) {
  const store = await storeOfThisTest(await storeFile())
  return { store, maker, deps: rotationDeps(store, maker) }
}

describe('a key without a version', () => {
  test('gets its first one, which signs at once', async () => {
    const { deps, store, maker } = await jobWith()
    expect(await runJob(deps, documents)).toEqual([
      { version: 'documents@1', step: 'generated' },
      { version: 'documents@1', step: 'activated' },
    ])
    const [version, ...more] = await listVersionsOf(store.connection, 'documents')
    const now = deps.clock.now()
    expect(more).toEqual([])
    expect(version).toMatchObject({
      key: 'documents',
      n: 1,
      state: 'active',
      source: 'generated',
      custody: 'software',
      vault: 'local',
      resource: 'documents@1-0',
      algorithm: 'ES256',
      kid: expect.stringMatching(/^[\w-]{43}$/),
      createdAt: now,
      activatedAt: now,
    })
    expect(maker.made).toEqual([
      {
        intentId: expect.stringMatching(/^[0-9A-Z]{26}$/),
        name: 'documents@1',
        algorithm: 'ES256',
        modulusBits: undefined,
      },
    ])
  })

  test('leaves a closed journal, the key’s facts and one audit record for each step', async () => {
    const { deps, store } = await jobWith()
    await runJob(deps, documents)
    expect(await openEntries(store.connection, 'documents')).toEqual([])
    expect(await listKeyFacts(store.connection)).toMatchObject([
      { name: 'documents', alg: 'ES256' },
    ])
    const step = { type: 'command', command: 'rotate', actor: 'cron@host', subject: 'documents@1' }
    expect(await recordsOf(store)).toEqual([
      { ...step, at: deps.clock.now(), before: 'none', after: 'created' },
      { ...step, at: deps.clock.now(), before: 'created', after: 'active' },
    ])
  })

  test.each<[string, Key]>([
    ['an HMAC key, whose known answer is kept', keyOf('mac', { algorithm: algorithm('HS256') })],
    [
      'an RSA key of the size asked for',
      keyOf('bot', {
        algorithm: algorithm('RS256'),
        modulusBits: 2048,
        profile: profileSettings['github-app'],
      }),
    ],
  ])('%s', async (_, key) => {
    const { deps, store } = await jobWith()
    await runJob(deps, key)
    const version = await findVersion(store.connection, key.name, 1)
    const isSymmetric = key.algorithm.kty === 'oct'
    expect(version).toMatchObject({ state: 'active', algorithm: key.algorithm.name })
    expect([version?.spki === undefined, version?.knownAnswer === undefined]).toEqual([
      isSymmetric,
      !isSymmetric,
    ])
    expect(version?.kid).toMatch(isSymmetric ? /^mac@1$/ : /^[\w-]{43}$/)
  })
})

test('a key that signs is left alone', async () => {
  const { deps, maker } = await jobWith()
  await runJob(deps, documents)
  expect(await planKey(deps, documents, patience)).toEqual(nothing)
  expect(await runJob(deps, documents)).toEqual([])
  expect(maker.made).toHaveLength(1)
})

test('a revoked version is replaced when a human names its key, under a number that was never used', async () => {
  const { deps, store } = await jobWith()
  await runJob(deps, documents)
  const [first] = await listVersionsOf(store.connection, 'documents')
  await store.writeTransaction(async ({ connection }) => {
    if (first) await changeState(connection, first, 'revoked', 1)
  })
  const onTimer = { ...deps, asked: askedFor() }
  expect(await planKey(onTimer, documents, patience)).toMatchObject({ kind: 'disable' })
  const disabled = { version: 'documents@1', step: 'disabled' }
  expect(await runJob(onTimer, documents)).toEqual([disabled])
  expect(await planKey(deps, documents, patience)).toEqual({
    kind: 'generate',
  })
  expect(await runJob(deps, documents)).toMatchObject([
    { version: 'documents@2', step: 'generated' },
    { version: 'documents@2', step: 'activated' },
  ])
  const states = (await listVersionsOf(store.connection, 'documents')).map(({ n, state }) => [
    n,
    state,
  ])
  expect(states).toEqual([
    [1, 'revoked'],
    [2, 'active'],
  ])
})

describe('what a vault made is looked at before it is taken', () => {
  const bot = keyOf('bot', { algorithm: algorithm('RS256'), modulusBits: 4096 })

  test('of another size: it never signs', async () => {
    const { deps, store } = await jobWith()
    await expect(runJob(deps, bot)).rejects.toMatchObject({
      code: 'vault_key_unusable',
      message: 'The vault made 2048 bits where 4096 were asked',
    })
    expect(await listVersionsOf(store.connection, 'bot')).toEqual([])
    expect(await recordsOf(store)).toEqual([])
  })

  test('without a public key', async () => {
    const maker = keyMaker()
    const blind: KeyMaker = {
      ...maker,
      vault: {
        ...maker.vault,
        open: async (...asked) => ({
          ...(await maker.vault.open(...asked)),
          publicKey: async () => undefined,
        }),
      },
    }
    const { deps } = await jobWith(blind)
    await expect(runJob(deps, documents)).rejects.toMatchObject({ code: 'vault_key_unusable' })
  })

  test('whose signature its public half does not verify', async () => {
    const maker = keyMaker()
    const faulty: KeyMaker = {
      ...maker,
      vault: {
        ...maker.vault,
        open: async (...asked) => ({
          ...(await maker.vault.open(...asked)),
          sign: async () => new Uint8Array(64),
        }),
      },
    }
    const { deps, store } = await jobWith(faulty)
    await expect(runJob(deps, documents)).rejects.toMatchObject({ code: 'signature_invalid' })
    expect(await listVersionsOf(store.connection, 'documents')).toEqual([])
  })

  test('a key pair that is a version already, revoked or not, is refused', async () => {
    const { deps, store, maker } = await jobWith()
    await runJob(deps, documents)
    const twice: KeyMaker = {
      ...maker,
      generator: { find: async () => [], settleMs: 0, generate: async () => 'documents@1-0' },
    }
    const again = rotationDeps(store, twice)
    await expect(runJob(again, keyOf('copies'))).rejects.toMatchObject({
      code: 'refused',
      message: 'This key pair is already documents@1',
    })
  })
})

describe('a lease that another job has taken', () => {
  test.each([
    ['before anything', 1],
    ['before the vault is asked to prove it', 2],
    ['before the version is stored', 3],
    ['before it is activated', 4],
  ])('%s stops this one', async (_, writes) => {
    const { deps, store } = await jobWith()
    let left = writes
    const stolen = {
      ...deps.store,
      connection: store.connection,
      async writeTransaction<T>(work: Parameters<typeof store.writeTransaction<T>>[0]) {
        left -= 1
        if (left === 0) await leaseOn(store)
        return store.writeTransaction(work)
      },
    }
    const lease = await leaseOn(store)
    const before = await recordsOf(store)
    const job = rotateKey({ ...deps, store: stolen }, lease, documents, quiet)
    await expect(job).rejects.toMatchObject({
      code: 'refused',
      message: 'Another job has taken over: run it again',
    })
    expect(await recordsOf(store)).toHaveLength(before.length + Math.max(0, writes - 3))
    expect(await listVersionsOf(store.connection, 'documents')).toHaveLength(writes === 4 ? 1 : 0)
  })

  test('lets no key be made for an intent that this job has not finished', async () => {
    const { store, maker } = await jobWith()
    const killed = keyMaker(() => {
      throw new Error('killed before find')
    })
    await expect(runJob(rotationDeps(store, killed), documents)).rejects.toThrow(
      'killed before find',
    )
    const lease = await leaseOn(store)
    await leaseOn(store) // somebody else's
    const resumed = rotateKey(rotationDeps(store, maker), lease, documents, quiet)
    await expect(resumed).rejects.toMatchObject({ code: 'refused' })
    expect(maker.made).toEqual([])
  })
})
