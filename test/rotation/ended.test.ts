import { describe, expect, test } from 'vitest'
import { type ErrorCode, ServiceError } from '../../src/errors.ts'
import type { RotationDeps } from '../../src/rotation/job.ts'
import { rotateKey } from '../../src/rotation/tick.ts'
import { openEntries } from '../../src/store/journal.ts'
import { listVersionsOf } from '../../src/store/versions.ts'
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
    const tell = { done: () => {}, failed: (error: unknown) => void failures.push(error) }
    const ran = rotateKey({ ...job, disablerOf }, lease, documents, tell)
    const rest = await ran.catch((thrown: unknown) => ({ thrown }))
    return { rest, failures }
  }
  return { store, states, run }
}

describe('a retired version whose vault cannot disable it', () => {
  const failing = (code: ErrorCode) => async () => {
    throw new ServiceError(code, 'a test')
  }

  test.each<[ErrorCode, RotationDeps['disablerOf']]>([
    ['vault_unavailable', async () => ({ disable: failing('vault_unavailable') })],
    // The signal's reason, as clients of vaults throw it.
    ['deadline_exceeded', async () => ({ disable: failing('deadline_exceeded') })],
    ['config_invalid', failing('config_invalid')],
  ])('%s: its key goes on, and the failure is told', async (code, disablerOf) => {
    const { store, run, states } = await dueJob()
    const { rest, failures } = await run(disablerOf)
    expect(rest).toMatchObject({ kind: 'wait', wait: { kind: 'overlap' } })
    expect(failures).toMatchObject([{ code }])
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
