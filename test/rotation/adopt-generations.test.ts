import { describe, expect, test } from 'vitest'
import { type CatalogueKey, type Generation, spkiSha256 } from '../../src/keys/catalogue.ts'
import {
  adoptGeneration,
  newGenerations,
  planAdoption,
} from '../../src/rotation/adopt-generations.ts'
import { insertRevokedDigest } from '../../src/store/revoked-digests.ts'
import { findVersion, listVersionsOf } from '../../src/store/versions.ts'
import { keyOf } from '../support/grant.ts'
import { keyMaker } from '../support/key-maker.ts'
import { leaseOn, rotationDeps, runJob } from '../support/rotation-job.ts'
import { patience } from '../support/signing-service.ts'
import { addVersions, storeFile, storeOfThisTest, versionOf } from '../support/store-file.ts'

type Generations = Readonly<Record<string, Partial<Generation>>>

const reports = keyOf('reports', { source: 'provisioned' })

/** A vault in which somebody has made keys, and a job that is told of them. */
async function provisioned(count = 3) {
  const store = await storeOfThisTest(await storeFile())
  const maker = keyMaker()
  const resources: string[] = []
  for (let i = 0; i < count; i += 1) {
    const request = { intentId: `${i}`, name: 'terraform', algorithm: 'ES256' } as const
    resources.push(await maker.generator.generate({ ...request, modulusBits: undefined }, patience))
  }
  const deps = rotationDeps(store, maker)
  const entryOf = (generations: Generations): CatalogueKey => {
    const filled = Object.entries(generations).map(([name, part], i) => {
      const generation = { resource: resources[i] ?? 'none', state: 'enabled', ...part } as const
      return [name, generation]
    })
    return { vault: 'local', alg: 'ES256', generations: Object.fromEntries(filled) }
  }
  const plan = (generations: Generations) => planAdoption(deps, reports, entryOf(generations))
  const adopt = async (generations: Generations) => {
    const lease = await leaseOn(store)
    const done: string[] = []
    for (const one of await newGenerations(store, reports, entryOf(generations))) {
      const { version, step } = await adoptGeneration(deps, lease, reports, one, patience)
      done.push(`${version} ${step}`)
    }
    return done
  }
  const versions = async () =>
    (await listVersionsOf(store.connection, 'reports')).map(
      ({ n, generation, state }) => `${n} ${generation} ${state}`,
    )
  return { store, deps, resources, plan, adopt, versions }
}

const refusal = (message: RegExp) => ({
  code: 'refused',
  message: expect.stringMatching(message),
})

describe('a plan', () => {
  test('names the generation that would be adopted first, and takes none', async () => {
    const { plan, adopt, versions } = await provisioned()
    const generations = { b: { initial: true }, a: {}, c: { state: 'disabled' } } as const
    expect(await plan(generations)).toEqual({ generation: 'a', n: 1 })
    expect(await versions()).toEqual([])
    await adopt(generations)
    expect(await plan(generations)).toBeUndefined()
  })

  test('is refused where the adoption would be', async () => {
    const { plan, adopt, resources } = await provisioned()
    await expect(plan({ a: {}, b: {} })).rejects.toMatchObject(refusal(/begin with a, b/))
    await adopt({ b: {} })
    await expect(plan({ b: { resource: 'other' } })).rejects.toMatchObject(refusal(/another key/))
    const early = { a: {}, b: { resource: resources[0] ?? '', initial: true } }
    await expect(plan(early)).rejects.toMatchObject(refusal(/^Generation a comes before b/))
  })
})

describe('generations become versions', () => {
  test('numbered in the order of their names, once, with their source and their name', async () => {
    const { adopt, versions, store } = await provisioned()
    const both = { '2027-03': {}, '2026-09': { initial: true } }
    expect(await adopt(both)).toEqual(['reports@1 adopted', 'reports@2 adopted'])
    expect(await adopt(both)).toEqual([])
    expect(await versions()).toEqual(['1 2026-09 created', '2 2027-03 created'])
    expect(await findVersion(store.connection, 'reports', 1)).toMatchObject({
      source: 'provisioned',
      resource: 'terraform-1',
    })
  })

  test('only when they are enabled: the others may not sign, and cannot be proved', async () => {
    const { adopt, versions } = await provisioned()
    await adopt({ a: {}, b: { state: 'pending' }, c: { state: 'disabled' } })
    expect(await versions()).toEqual(['1 a created'])
  })

  test('and are promoted instead of making keys', async () => {
    const { adopt, versions, deps } = await provisioned()
    const enabled = new Set(['a', 'b'])
    const told = { ...deps, provisionedOf: () => ({ enabled, initial: 'b' }) }
    await adopt({ a: {}, b: { initial: true } })
    await runJob(told, reports)
    expect(await versions()).toEqual(['1 a created', '2 b active'])
    await runJob({ ...told, asked: { ...deps.asked, now: 'with overlap' } }, reports)
    expect(await versions()).toEqual(['1 a active', '2 b retiring'])
  })
})

describe('what is refused', () => {
  test('a key that no catalogue has', async () => {
    const { store } = await provisioned()
    await expect(newGenerations(store, reports, undefined)).rejects.toMatchObject(
      refusal(/^No catalogue has reports/),
    )
  })

  test('several that could be the first, and none that is to be', async () => {
    const { adopt, versions } = await provisioned()
    const asked = adopt({ a: {}, b: {} })
    await expect(asked).rejects.toMatchObject(refusal(/begin with a, b: .* initial$/))
    expect(await versions()).toEqual([])
  })

  test('another public key than the catalogue says, before and after it is a version', async () => {
    const { adopt, versions } = await provisioned()
    const wrong = { public_key_sha256: 'A'.repeat(43) }
    await expect(adopt({ a: wrong })).rejects.toMatchObject(refusal(/has another public key/))
    expect(await versions()).toEqual([])
    await adopt({ a: {} })
    await expect(adopt({ a: wrong })).rejects.toMatchObject(refusal(/than reports@1$/))
  })

  test('a generation whose name now means another key', async () => {
    const { adopt } = await provisioned()
    await adopt({ a: {} })
    const moved = adopt({ a: { resource: 'terraform-2' } })
    await expect(moved).rejects.toMatchObject(
      refusal(/^Generation a is another key than reports@1/),
    )
  })

  test('one that comes before another that has its number', async () => {
    const { adopt } = await provisioned()
    await adopt({ b: {} })
    const early = adopt({ b: {}, a: { resource: 'terraform-1' } })
    await expect(early).rejects.toMatchObject(
      refusal(/^Generation a comes before b, which is reports@1/),
    )
  })
})

test('a public key that is revoked becomes a version only as a revoked one', async () => {
  const vault = await provisioned()
  const digest = await digestIn(vault)
  await vault.store.writeTransaction(async (transaction) => {
    await insertRevokedDigest(transaction, digest, 1)
    await insertRevokedDigest(transaction, digest, 2)
  })
  await vault.adopt({ a: {} })
  expect(await vault.versions()).toEqual(['1 a revoked'])
  const again = { ...versionOf('docs', 1), spki: await spkiIn(vault) }
  await expect(addVersions(vault.store, again)).rejects.toMatchObject({ code: 'refused' })
})

test('a revoked public key is refused in any other state, whoever inserts it', async () => {
  const store = await storeOfThisTest(await storeFile())
  const version = versionOf('docs', 1, { state: 'created' })
  const digest = spkiSha256(version.spki ?? new Uint8Array())
  await store.writeTransaction((transaction) => insertRevokedDigest(transaction, digest, 1))
  await expect(addVersions(store, version)).rejects.toMatchObject({
    code: 'refused',
    message: 'This key pair is revoked: it can never sign',
  })
  await addVersions(store, { ...version, state: 'revoked' })
})

/** Of the first key in the vault. */
async function spkiIn({ deps, resources }: Awaited<ReturnType<typeof provisioned>>) {
  const [resource = ''] = resources
  const opened = await deps.vaultOf(reports).open({ resource, algorithm: 'ES256' }, patience)
  const spki = await opened.publicKey(patience)
  if (spki) return spki
  throw new TypeError('it has a public key')
}

async function digestIn(vault: Awaited<ReturnType<typeof provisioned>>): Promise<string> {
  return spkiSha256(await spkiIn(vault))
}
