import { describe, expect, test } from 'vitest'
import { type ErrorCode, ServiceError } from '../../src/errors.ts'
import type { Deed, RotationDeps } from '../../src/rotation/job.ts'
import { rotateKey } from '../../src/rotation/tick.ts'
import { revoke } from '../../src/service/revoke.ts'
import { openEntries } from '../../src/store/journal.ts'
import { listVersionsOf } from '../../src/store/versions.ts'
import { recordsOf, revocationOn } from '../support/command-deps.ts'
import { keyOf } from '../support/grant.ts'
import { keyMaker } from '../support/key-maker.ts'
import { askedFor, leaseOn, rotationDeps, runJob } from '../support/rotation-job.ts'
import { dayMs, policyOf } from '../support/rotation-facts.ts'
import { storeFile, storeOfThisTest } from '../support/store-file.ts'

/** What has ended is put away beside whatever else is due. */

const documents = keyOf('documents')

/** The first version is to be retired and disabled, and the second one's time has come. */
async function dueJob() {
  const store = await storeOfThisTest(await storeFile())
  const deps = rotationDeps(store, keyMaker())
  await runJob(deps, documents)
  const wish = askedFor({ isNamed: true, now: 'with overlap' })
  await runJob({ ...deps, asked: wish }, documents)
  deps.clock.advance(30 * dayMs)
  const job = { ...deps, asked: askedFor(), policyOf: () => policyOf({ everyMs: 10 * dayMs }) }
  const states = async () =>
    (await listVersionsOf(store.connection, 'documents')).map(({ n, state }) => `${n} ${state}`)
  const run = async (disablerOf: RotationDeps['disablerOf']) => {
    const failures: unknown[] = []
    const lease = await leaseOn(store, deps.clock.now())
    const failed = (error: unknown, deed: Deed) => void failures.push({ error, deed })
    const tell = { done: () => {}, failed }
    const ran = rotateKey({ ...job, disablerOf }, lease, documents, tell)
    const rest = await ran.catch((thrown: unknown) => ({ thrown }))
    return { rest, failures }
  }
  return { store, states, run }
}

const failing = (code: ErrorCode) => async () => {
  throw new ServiceError(code, 'a test')
}

describe('a retired version whose vault cannot disable it', () => {
  test.each<[ErrorCode, RotationDeps['disablerOf']]>([
    ['vault_unavailable', async () => ({ disable: failing('vault_unavailable') })],
    // The signal's reason, as clients of vaults throw it.
    ['deadline_exceeded', async () => ({ disable: failing('deadline_exceeded') })],
    ['config_invalid', failing('config_invalid')],
  ])('%s: its key goes on, and the failure is told', async (code, disablerOf) => {
    const { store, run, states } = await dueJob()
    const { rest, failures } = await run(disablerOf)
    expect(rest).toMatchObject({ kind: 'wait', wait: { kind: 'overlap' } })
    const deed = { version: 'documents@1', step: 'disable' }
    expect(failures).toMatchObject([{ error: { code }, deed }])
    expect(await states()).toEqual(['1 retired', '2 retiring', '3 active'])
    const open = await openEntries(store.connection, 'documents')
    expect(open).toMatchObject([{ step: 'disable', n: 1, failure: code }])
  })

  test('for a reason that nobody knows: that is a bug, and stops its key', async () => {
    const { run, states } = await dueJob()
    const { rest, failures } = await run(failing('internal_error'))
    expect(rest).toMatchObject({ thrown: { code: 'internal_error' } })
    expect(failures).toEqual([])
    expect(await states()).toEqual(['1 retired', '2 active'])
  })
})

test('a retired version that is revoked while its vault disables it is not recorded as retired after that', async () => {
  const { store, run } = await dueJob()
  const revocation = revocationOn(store, {
    disablerOf: async () => ({ disable: failing('vault_unavailable') }),
  })
  const disable = async () =>
    void (await revoke(revocation.deps, { version: 'documents@1', reason: 'a leak' }))
  const { failures } = await run(async () => ({ disable }))
  expect(failures).toEqual([])
  const changes = (await recordsOf(store)).filter(({ subject }) => subject === 'documents@1')
  expect(changes.slice(-2)).toMatchObject([
    { command: 'revoke', before: 'retired', after: 'revoked' },
    { command: 'rotate', before: 'revoked', after: 'revoked', reason: 'disabled in the vault' },
  ])
  expect(await openEntries(store.connection, 'documents')).toEqual([])
})
