import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { spkiSha256 } from '../../src/keys/catalogue.ts'
import type { Vault } from '../../src/signing/signer.ts'
import { openEntries } from '../../src/store/journal.ts'
import { listOrphans } from '../../src/store/orphans.ts'
import { insertRevokedDigest } from '../../src/store/revoked-digests.ts'
import { listVersionsOf } from '../../src/store/versions.ts'
import { keyOf } from '../support/grant.ts'
import { keyMaker } from '../support/key-maker.ts'
import { askedFor, rotationDeps, runJob } from '../support/rotation-job.ts'
import { patience } from '../support/signing-service.ts'
import { storeFile, storeOfThisTest } from '../support/store-file.ts'

const documents = keyOf('documents')
const eldest = 'documents@1-0'

/** A vault has made a key, and the reply was lost; whether it was made once more, as a vault copies tags. */
async function interrupted({ keys = 1 } = {}) {
  const store = await storeOfThisTest(await storeFile())
  let isLost = true
  const maker = keyMaker((name) => {
    if (isLost && name === 'after generate') throw new Error('the reply is lost')
  })
  await expect(runJob(rotationDeps(store, maker), documents)).rejects.toThrow('the reply is lost')
  isLost = false
  const [request] = maker.made
  if (!request) throw new Error('it was made')
  for (let i = 1; i < keys; i += 1) await maker.generator.generate(request, patience)
  const { intentId: intent } = request
  const run = (isNamed: boolean, vault: Vault = maker.vault) =>
    runJob({ ...rotationDeps(store, { ...maker, vault }), asked: askedFor({ isNamed }) }, documents)
  const orphan = (n: number, resource: string) => ({
    key: 'documents',
    n,
    vault: 'local',
    intent,
    resource,
  })
  const left = async () => ({
    open: (await openEntries(store.connection)).map(({ step, n }) => `${step} ${n}`),
    orphans: await listOrphans(store.connection),
    versions: (await listVersionsOf(store.connection, 'documents')).map(
      ({ n, state, resource }) => `${n} ${state} ${resource}`,
    ),
  })
  return { store, maker, run, left, orphan }
}

type Interrupted = Awaited<ReturnType<typeof interrupted>>

/** As after somebody has disabled one of its keys. */
function without({ maker }: Interrupted, resource: string): Vault {
  return {
    open: async (asked, signal) => {
      if (asked.resource === resource) {
        throw new ServiceError('vault_key_unusable', 'The key is disabled')
      }
      return maker.vault.open(asked, signal)
    },
  }
}

/** As after a catalogue has named it. */
async function revokedPair({ store, maker }: Interrupted): Promise<Vault> {
  const signer = await maker.vault.open({ resource: eldest, algorithm: 'ES256' }, patience)
  const spki = (await signer.publicKey(patience)) ?? new Uint8Array(0)
  await store.writeTransaction((transaction) =>
    insertRevokedDigest(transaction, spkiSha256(spki), 1),
  )
  return maker.vault
}

describe.each([
  ['was disabled', 'The key is disabled', async (world: Interrupted) => without(world, eldest)],
  ['was revoked', 'The key pair is revoked, and can never sign', revokedPair],
])('what an earlier run had made, and then %s,', (_, why, broken) => {
  test('stays for a human to decide on: a job on a timer makes no other one, however often', async () => {
    const world = await interrupted()
    const vault = await broken(world)
    const message = `${why}. An earlier run had it made as documents@1: put it right there, or \`chancery rotate documents\` gives it up and has another made`
    for (let i = 0; i < 3; i += 1) {
      await expect(world.run(false, vault)).rejects.toMatchObject({
        code: 'vault_key_unusable',
        message,
      })
    }
    expect(world.maker.made).toHaveLength(1)
    expect(await world.left()).toEqual({ open: ['generate 1'], orphans: [], versions: [] })
  })

  test('is given up when a human asks: it is told as an orphan, and another one signs', async () => {
    const world = await interrupted()
    const done = await world.run(true, await broken(world))
    expect(done.map(({ version, step }) => `${version} ${step}`)).toEqual([
      'documents@3 generated',
      'documents@3 activated',
    ])
    expect(await world.left()).toEqual({
      open: [],
      orphans: [world.orphan(2, eldest)],
      versions: ['3 active documents@3-1'],
    })
  })

  test('is an orphan beside one that can be used', async () => {
    const world = await interrupted({ keys: 2 })
    await world.run(false, await broken(world))
    expect(await world.left()).toEqual({
      open: [],
      orphans: [world.orphan(2, eldest)],
      versions: ['1 active documents@1-1'],
    })
  })
})

test('a vault that is down while it is looked at gives nothing up', async () => {
  const world = await interrupted()
  const down: Vault = {
    open: async () => {
      throw new ServiceError('vault_unavailable', 'The vault cannot be reached')
    },
  }
  await expect(world.run(true, down)).rejects.toMatchObject({ code: 'vault_unavailable' })
  expect(await world.left()).toMatchObject({ open: ['generate 1'], orphans: [] })
  await world.run(false)
  expect(await world.left()).toMatchObject({ open: [], versions: [`1 active ${eldest}`] })
})
