import { describe, expect, test } from 'vitest'
import type { Key } from '../../src/keys/key.ts'
import type { Registry } from '../../src/registry/registry.ts'
import { manualRegistry } from '../../src/registry/manual.ts'
import { planKey, rotateKey } from '../../src/rotation/tick.ts'
import { revoke } from '../../src/service/revoke.ts'
import { fingerprints } from '../../src/signing/fingerprint.ts'
import { publicKeyFromSpki } from '../../src/signing/public-key.ts'
import { closeRegistryEntries, openEntry } from '../../src/store/journal.ts'
import { insertKeyFacts } from '../../src/store/keys.ts'
import type { Store } from '../../src/store/store.ts'
import {
  changeState,
  insertVersion,
  listVersionsOf,
  markVersion,
} from '../../src/store/versions.ts'
import { appRegistry } from '../support/app-registry.ts'
import { recordsOf, revocationOn } from '../support/command-deps.ts'
import { type Fault, faultyRegistry } from '../support/faulty-registry.ts'
import { keyOf, profileSettings } from '../support/grant.ts'
import { keyMaker } from '../support/key-maker.ts'
import { leaseOn, quiet, rotationDeps, runJob } from '../support/rotation-job.ts'
import { patience } from '../support/signing-service.ts'
import { storeFile, storeOfThisTest, versionOf } from '../support/store-file.ts'

/** The steps of a key whose public half an app of a registry has to know. */

const blog: Key = keyOf('blog', {
  profile: profileSettings['generic-jwt'],
  registry: { kind: 'app', registry: 'apps', app: 'blog' },
})

async function jobOn(fault?: Fault, wrap = (registry: Registry) => registry) {
  const store = await storeOfThisTest(await storeFile())
  const maker = keyMaker()
  const server = await faultyRegistry(fault)
  const registry = wrap(appRegistry(server.url))
  const deps = rotationDeps(store, maker, registry)
  const journal = () =>
    store.connection.selectFrom('journal').select(['step', 'n', 'state']).orderBy('step').execute()
  const states = async () =>
    (await listVersionsOf(store.connection, 'blog')).map(({ n, state }) => `${n} ${state}`)
  return { store, maker, server, deps, journal, states }
}

/** As a run that ended before it wrote down that `blog@1` was told. */
const leaveOpen = (store: Store) =>
  store.writeTransaction((transaction) =>
    openEntry(transaction, { id: 'an-id', step: 'publish', key: 'blog', n: 1, at: 1 }),
  )

const posts = (methods: readonly string[]) => methods.filter((method) => method === 'POST').length
const lostReply: Fault = ({ method, kid, kids }) => {
  if (method !== 'POST' || kid === undefined) return undefined
  kids.push(kid)
  return { status: 500 }
}

describe('a first version', () => {
  test('is made, published under its contentful fingerprint, then activated; each step recorded', async () => {
    const { deps, store, server, journal } = await jobOn()
    const steps = (await runJob(deps, blog)).map(({ step }) => step)
    expect(steps).toEqual(['generated', 'published', 'activated'])
    const [version] = await listVersionsOf(store.connection, 'blog')
    const publicKey = publicKeyFromSpki(version?.spki ?? new Uint8Array(0))
    expect(version?.kid).toBe(fingerprints(publicKey).contentful)
    expect(server.kids).toEqual([version?.kid])
    // Looked at before a key is made, before it is sent, in the sending, and read back.
    expect(server.methods()).toEqual(['GET', 'GET', 'GET', 'POST', 'GET'])
    expect(await journal()).toEqual([
      { step: 'generate', n: 1, state: 'done' },
      { step: 'publish', n: 1, state: 'done' },
    ])
    const changes = (await recordsOf(store)).map(({ before, after }) => `${before} ${after}`)
    expect(changes).toEqual(['none created', 'created published', 'published active'])
  })

  test('whose reply was lost is found by the next run, which sends nothing', async () => {
    const { deps, server, states, journal } = await jobOn(lostReply)
    await expect(runJob(deps, blog)).rejects.toMatchObject({ code: 'registry_unavailable' })
    expect(await states()).toEqual(['1 created'])
    expect(await journal()).toContainEqual({ step: 'publish', n: 1, state: 'open' })
    expect((await runJob(deps, blog)).map(({ step }) => step)).toEqual(['published', 'activated'])
    expect(posts(server.methods())).toBe(1)
    expect(await journal()).toEqual([
      { step: 'generate', n: 1, state: 'done' },
      { step: 'publish', n: 1, state: 'done' },
    ])
  })

  test('that is published needs its registry no more', async () => {
    const { deps, store, server, states } = await jobOn(() => ({ status: 500 }))
    await store.writeTransaction(async (transaction) => {
      await insertKeyFacts(transaction, blog, 1)
      await insertVersion(transaction.connection, versionOf('blog', 1, { state: 'published' }))
    })
    expect(await planKey(deps, blog, patience)).toMatchObject({ kind: 'activate' })
    await runJob(deps, blog)
    expect(await states()).toEqual(['1 active'])
    expect(server.methods()).toEqual([])
  })

  test('whose registry is down is not made', async () => {
    const { deps, maker } = await jobOn(() => ({ status: 503 }))
    await expect(runJob(deps, blog)).rejects.toMatchObject({ code: 'registry_unavailable' })
    expect(maker.made).toEqual([])
  })

  test('whose slot somebody takes in the meantime waits, published by nobody', async () => {
    let lists = 0
    const { deps, store, states, server } = await jobOn(({ method, kids }) => {
      if (method === 'GET' && (lists += 1) === 2) kids.push('a', 'b', 'c')
      return undefined
    })
    const lease = await leaseOn(store)
    const rest = await rotateKey(deps, lease, blog, quiet)
    const wait = { kind: 'slots', slots: 3, unknownKids: ['a', 'b', 'c'], versions: [] }
    expect(rest).toEqual({ kind: 'wait', wait })
    expect(await states()).toEqual(['1 created'])
    expect(posts(server.methods())).toBe(0)
  })
})

describe('while a registry is told of a version', () => {
  /** `first` happens when the registry has answered, before that is recorded. */
  const interrupted = (first: () => Promise<unknown>) => (registry: Registry) => ({
    ...registry,
    publish: async (...asked: Parameters<Registry['publish']>) => {
      const outcome = await registry.publish(...asked)
      await first()
      return outcome
    },
  })

  test('another job takes over: this one records nothing, and the other finds the key', async () => {
    const work: { take: () => Promise<unknown> } = { take: async () => {} }
    const { deps, store, states, server } = await jobOn(
      undefined,
      interrupted(() => work.take()),
    )
    work.take = () => leaseOn(store)
    await expect(runJob(deps, blog)).rejects.toMatchObject({
      code: 'refused',
      message: 'Another job has taken over: run it again',
    })
    expect(await states()).toEqual(['1 created'])
    work.take = async () => {}
    await runJob(deps, blog)
    expect(await states()).toEqual(['1 active'])
    expect(posts(server.methods())).toBe(1)
  })

  test('it is revoked: it stays so, and never signs', async () => {
    const work: { revoke: () => Promise<unknown> } = { revoke: async () => {} }
    const { deps, store, states } = await jobOn(
      undefined,
      interrupted(() => work.revoke()),
    )
    work.revoke = () =>
      store.writeTransaction(async ({ connection }) => {
        const [version] = await listVersionsOf(connection, 'blog')
        if (version) await changeState(connection, version, 'revoked', 1)
      })
    await expect(runJob(deps, blog)).rejects.toMatchObject({
      code: 'refused',
      message: 'blog@1 is no longer created: look again',
    })
    expect(await states()).toEqual(['1 revoked'])
  })
})

describe('a revocation that comes before the registry is told, though after that was intended', () => {
  async function revokedOnTheWay() {
    const work: { first: () => Promise<unknown> } = { first: async () => {} }
    const told = await jobOn(undefined, (registry) => ({
      ...registry,
      publish: async (...asked) => {
        const { first } = work
        work.first = async () => {}
        await first()
        return registry.publish(...asked)
      },
    }))
    const { deps, store, journal } = told
    const { deps: revocation } = revocationOn(store, {
      registryOf: async () => deps.registryOf(blog),
    })
    const meanwhile = async (happens: () => Promise<void>, message: string) => {
      work.first = happens
      await expect(runJob(deps, blog)).rejects.toMatchObject({ code: 'refused', message })
    }
    const revokeFirst = async (message: string, andThen = async () => {}) => {
      const revokes = async () => {
        await revoke(revocation, { version: 'blog@1', reason: 'a leak' })
        await andThen()
      }
      await meanwhile(revokes, message)
    }
    const open = async () => (await journal()).filter(({ state }) => state === 'open')
    return { ...told, meanwhile, revokeFirst, open }
  }

  test('of a first version: the next run has the registry forget it again', async () => {
    const { deps, store, server, open, revokeFirst } = await revokedOnTheWay()
    await revokeFirst('blog@1 is no longer created: look again')
    const [{ kid } = versionOf('blog')] = await listVersionsOf(store.connection, 'blog')
    expect(server.kids).toEqual([kid])
    await runJob(deps, blog)
    expect(server.kids).not.toContain(kid)
    expect(await open()).toEqual([])
  })

  test('of a version that signs, and is told again: the same, and it is not recorded as active after it', async () => {
    const { deps, store, server, open, revokeFirst } = await revokedOnTheWay()
    await runJob(deps, blog)
    const [kid] = server.kids.splice(0)
    await leaveOpen(store)
    await revokeFirst('blog@1 is no longer active: look again')
    expect(server.kids).toEqual([kid])
    await runJob(deps, blog)
    expect(server.kids).not.toContain(kid)
    expect(await open()).toEqual([])
    const changes = (await recordsOf(store)).filter(({ subject }) => subject === 'blog@1')
    const revokedAt = changes.findIndex(({ after }) => after === 'revoked')
    expect(new Set(changes.slice(revokedAt).map(({ after }) => after))).toEqual(
      new Set(['revoked']),
    )
  })

  test('and another run withdraws it first: it is withdrawn once more', async () => {
    const { deps, store, server, open, revokeFirst } = await revokedOnTheWay()
    await revokeFirst('Another job has taken over: run it again', async () => {
      await runJob(deps, blog)
      expect(await open()).toEqual([])
    })
    const [{ kid } = versionOf('blog')] = await listVersionsOf(store.connection, 'blog')
    expect(server.kids).toContain(kid)
    expect(await open()).toEqual([{ step: 'withdraw', n: 1, state: 'open' }])
    await runJob(deps, blog)
    expect(server.kids).not.toContain(kid)
    expect(await open()).toEqual([])
  })

  test('so does the end of its overlap, in another run', async () => {
    const { deps, store, server, open, meanwhile } = await revokedOnTheWay()
    await runJob(deps, blog)
    const [kid] = server.kids
    await leaveOpen(store)
    const retired = async () =>
      store.writeTransaction(async (transaction) => {
        const { connection } = transaction
        for (const state of ['retiring', 'retired'] as const) {
          const [version] = await listVersionsOf(connection, 'blog')
          if (version) await changeState(connection, version, state, 1)
        }
        await markVersion(connection, { key: 'blog', n: 1 }, 'withdrawn', 1)
        await closeRegistryEntries(transaction, { key: 'blog', n: 1 })
      })
    await meanwhile(retired, 'blog@1 is no longer active: look again')
    expect([server.kids, await open()]).toEqual([
      [kid],
      [{ step: 'withdraw', n: 1, state: 'open' }],
    ])
    await runJob(deps, blog)
    expect(server.kids).not.toContain(kid)
    expect(await open()).toEqual([])
  })

  test('and before that was intended: nobody is told', async () => {
    const { deps, store, server } = await jobOn()
    const { deps: revocation } = revocationOn(store, {
      registryOf: async () => deps.registryOf(blog),
    })
    let lists = 0
    const hurried = {
      ...deps,
      registryOf: () => {
        const registry = deps.registryOf(blog)
        return (
          registry && {
            ...registry,
            list: async (signal: AbortSignal) => {
              const listed = await registry.list?.(signal)
              // The first look is before the key is made.
              if ((lists += 1) === 2) await revoke(revocation, { version: 'blog@1', reason: 'a' })
              return listed ?? []
            },
          }
        )
      },
    }
    await expect(runJob(hurried, blog)).rejects.toMatchObject({ code: 'refused' })
    expect(posts(server.methods())).toBe(0)
  })
})

test('a registry that only a human can tell is never told by a job', async () => {
  const { deps, store, maker } = await jobOn()
  const url = 'https://github.com/settings/apps/acme'
  const manual = manualRegistry({ system: 'github', url })
  const bot = keyOf('bot', {
    source: 'imported',
    registry: { kind: 'manual', system: 'github', url },
    profile: profileSettings['github-app'],
  })
  const asked = { ...deps, registryOf: () => manual }
  expect(await runJob(asked, bot)).toEqual([])
  expect([maker.made, await listVersionsOf(store.connection, 'bot')]).toEqual([[], []])
})
