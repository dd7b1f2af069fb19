import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { manualRegistry } from '../../src/registry/manual.ts'
import type { Registry } from '../../src/registry/registry.ts'
import { revoke } from '../../src/service/revoke.ts'
import type { SecondLineDeps } from '../../src/service/second-line.ts'
import { openEntries, openEntry } from '../../src/store/journal.ts'
import { findVersion } from '../../src/store/versions.ts'
import { memoryKeyPair } from '../support/memory-key.ts'
import { appRegistry } from '../support/app-registry.ts'
import { recordsOf, revocationOn } from '../support/command-deps.ts'
import { type Fault, faultyRegistry } from '../support/faulty-registry.ts'
import { addVersions, storeFile, storeOfThisTest, versionOf } from '../support/store-file.ts'

/** What stands behind the store's word on a revoked version: its registry, and its vault. */

const because = { version: 'blog@1', reason: 'a leak' }
const { publicKey } = memoryKeyPair('ES256')
const kid = 'kid-of-blog-1'

/** `blog@1` signs, and is known to a registry. */
async function house(
  behind: Partial<SecondLineDeps> = {},
  { registry = 'apps/blog', hasPublicHalf = true } = {},
) {
  const store = await storeOfThisTest(await storeFile())
  const part = hasPublicHalf
    ? { spki: publicKey.spki }
    : { spki: undefined, knownAnswer: new Uint8Array(32) }
  await addVersions(store, versionOf('blog', 1, part))
  if (registry) await store.connection.updateTable('keys').set({ registry }).execute()
  const made = revocationOn(store, behind)
  const left = async () => {
    const entries = await openEntries(store.connection, 'blog')
    const { withdrawnAt, disabledAt } = (await findVersion(store.connection, 'blog', 1)) ?? {}
    return {
      open: entries.map(({ step, n, failure }) => `${step} ${n} ${failure}`).toSorted(),
      withdrawnAt,
      disabledAt,
    }
  }
  return { ...made, store, left }
}

async function registryThat(fault?: Fault) {
  const faulty = await faultyRegistry(fault, [kid])
  const registry: Registry = appRegistry(faulty.url)
  return { faulty, registryOf: async () => registry }
}

const errorOf = (status: number, id: string) => ({ status, body: { sys: { type: 'Error', id } } })
const onDelete =
  (said: ReturnType<Fault>): Fault =>
  ({ method }) =>
    method === 'DELETE' ? said : undefined
const unreachable = async (): Promise<never> => {
  throw new ServiceError('vault_unavailable', 'The vault cannot be reached')
}

describe('at once, beside the release window', () => {
  test('the registry forgets the version, the vault disables it, and the audit says so', async () => {
    const { faulty, registryOf } = await registryThat()
    const { deps, disabled, left, store, clock } = await house({ registryOf })
    expect(await revoke(deps, because)).toMatchObject({
      withdrawal: { verdict: 'done' },
      disabling: { verdict: 'done' },
    })
    expect([faulty.kids, disabled]).toEqual([[], ['blog@1.json']])
    expect(await left()).toEqual({
      open: [],
      withdrawnAt: clock.now(),
      disabledAt: clock.now(),
    })
    const [, ...later] = await recordsOf(store)
    expect(later.map(({ subject, reason }) => `${subject} ${reason}`).toSorted()).toEqual([
      'blog@1 disabled in its vault',
      'blog@1 withdrawn from its registry',
    ])
  })

  test('nobody is told before the revocation is in force', async () => {
    const { deps, store } = await house()
    const states: unknown[] = []
    const look = async () => {
      states.push((await findVersion(store.connection, 'blog', 1))?.state)
    }
    const { registryOf } = await registryThat()
    await revoke(
      {
        ...deps,
        registryOf: async () => ({
          ...(await registryOf()),
          withdraw: async () => (await look(), { verdict: 'done' }),
        }),
        disablerOf: async () => ({ disable: look }),
      },
      because,
    )
    expect(states).toEqual(['revoked', 'revoked'])
  })

  test('what a run may be telling the registry is withdrawn, and left to the job too: it may come later', async () => {
    const { faulty, registryOf } = await registryThat()
    const { deps, left, store } = await house({ registryOf })
    await store.writeTransaction((transaction) =>
      openEntry(transaction, { id: 'an-id', step: 'publish', key: 'blog', n: 1, at: 1 }),
    )
    const message = 'A run was about to tell its registry of blog@1, and may come later'
    expect(await revoke(deps, because)).toMatchObject({
      withdrawal: { verdict: 'pending', error: { code: 'registry_unavailable', message } },
      disabling: { verdict: 'done' },
    })
    expect(faulty.kids).toEqual([])
    expect(await left()).toMatchObject({
      open: ['publish 1 undefined', 'withdraw 1 registry_unavailable'],
      withdrawnAt: undefined,
    })
  })

  test('what does not answer in its time is left to the job', async () => {
    const { registryOf } = await registryThat(onDelete('hang'))
    const disablerOf = async () => ({ disable: () => Promise.withResolvers<void>().promise })
    const { deps, left } = await house({ registryOf, disablerOf })
    expect(await revoke({ ...deps, secondLineMs: 100 }, because)).toMatchObject({
      withdrawal: { verdict: 'pending' },
      disabling: { verdict: 'pending', error: { code: 'deadline_exceeded' } },
    })
    expect((await left()).open).toEqual([
      'disable 1 deadline_exceeded',
      expect.stringMatching(/^withdraw 1 (?:registry_unavailable|deadline_exceeded)$/),
    ])
  })
})

describe('what goes wrong is left to the job, and undoes nothing', () => {
  test.each<[string, ReturnType<Fault>, string]>([
    ['is down', { status: 503 }, 'registry_unavailable'],
    ['limits its rate', errorOf(429, 'RateLimitExceeded'), 'registry_unavailable'],
    ['does not accept the token', errorOf(401, 'AccessTokenInvalid'), 'registry_denied'],
    ['does not let go of it', errorOf(422, 'ValidationFailed'), 'registry_refused'],
    ['says so and forgets', { status: 204 }, 'registry_unavailable'],
  ])('a registry that %s', async (_, said, code) => {
    const { registryOf } = await registryThat(onDelete(said))
    const { deps, left, store, disabled } = await house({ registryOf })
    expect(await revoke(deps, because)).toMatchObject({
      version: 'blog@1',
      withdrawal: { verdict: 'pending', error: { code } },
      disabling: { verdict: 'done' },
    })
    expect(await left()).toMatchObject({ open: [`withdraw 1 ${code}`], withdrawnAt: undefined })
    expect(disabled).toEqual(['blog@1.json'])
    expect(await findVersion(store.connection, 'blog', 1)).toMatchObject({ state: 'revoked' })
  })

  test.each([
    ['vault_unavailable', unreachable],
    [
      'vault_denied',
      async () => ({
        async disable() {
          throw new ServiceError('vault_denied', 'Not allowed')
        },
      }),
    ],
  ] as const)('a vault: %s', async (code, disablerOf) => {
    const { faulty, registryOf } = await registryThat()
    const { deps, left } = await house({ registryOf, disablerOf })
    expect(await revoke(deps, because)).toMatchObject({
      withdrawal: { verdict: 'done' },
      disabling: { verdict: 'pending', error: { code } },
    })
    expect(await left()).toMatchObject({ open: [`disable 1 ${code}`], disabledAt: undefined })
    expect(faulty.kids).toEqual([])
  })

  test('a second revoke goes on with both, and then there is nothing left', async () => {
    const state: { said: ReturnType<Fault> } = { said: { status: 503 } }
    const { registryOf } = await registryThat((asked) => onDelete(state.said)(asked))
    const first = await house({ registryOf, disablerOf: unreachable })
    await revoke(first.deps, because)
    expect((await first.left()).open).toHaveLength(2)
    state.said = undefined
    const second = revocationOn(first.store, { registryOf })
    const done = { withdrawal: { verdict: 'done' }, disabling: { verdict: 'done' } }
    expect(await revoke(second.deps, because)).toMatchObject({ before: 'revoked', ...done })
    expect((await first.left()).open).toEqual([])
    const none = { withdrawal: { verdict: 'none' }, disabling: { verdict: 'none' } }
    expect(await revoke(second.deps, because)).toMatchObject(none)
    expect(second.disabled).toHaveLength(1)
    const journal = await first.store.connection.selectFrom('journal').select('step').execute()
    expect(journal).toHaveLength(2) // gone on with, not begun again
  })

  test('a key that is configured no longer: its entry stays until somebody says where it is known', async () => {
    const { deps, left } = await house()
    expect(await revoke(deps, because)).toMatchObject({
      withdrawal: { verdict: 'pending', error: { code: 'registry_unavailable' } },
    })
    expect((await left()).open).toEqual(['withdraw 1 registry_unavailable'])
  })
})

describe('nothing to withdraw', () => {
  test('where a human looks after the registry: what to do is told, with the fingerprint', async () => {
    const url = 'https://github.com/settings/apps/acme-bot'
    const registryOf = async () => manualRegistry({ system: 'github', url })
    const { deps, left } = await house({ registryOf }, { registry: 'manual:github' })
    expect(await revoke(deps, because)).toMatchObject({
      withdrawal: {
        verdict: 'task',
        task: {
          url,
          steps: [`Open ${url}`, expect.stringMatching(/^Delete the key with .* SHA256:/)],
        },
      },
    })
    expect((await left()).open).toEqual([])
  })

  test.each([
    ['a key that nobody has to know', { registry: '' }],
    ['a secret, which has no public half', { hasPublicHalf: false }],
  ])('of %s', async (_, setting) => {
    const { deps, left } = await house({}, setting)
    expect(await revoke(deps, because)).toMatchObject({ withdrawal: { verdict: 'none' } })
    expect((await left()).open).toEqual([])
  })
})
