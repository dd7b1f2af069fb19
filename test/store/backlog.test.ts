import { expect, test } from 'vitest'
import { closeEntry, openEntry } from '../../src/store/journal.ts'
import { forgetOrphan, insertOrphan } from '../../src/store/orphans.ts'
import {
  addVersions,
  auditOfThisTest,
  storeFile,
  storeOfThisTest,
  versionOf,
} from '../support/store-file.ts'

const now = 1_000_000

async function house() {
  const file = await storeFile()
  const store = await storeOfThisTest(file)
  await addVersions(
    store,
    versionOf('blog'),
    versionOf('blog', 2, { state: 'published' }),
    versionOf('blog', 3, { state: 'created' }),
    versionOf('docs', 1, { state: 'retired' }),
  )
  return { file, store, audit: auditOfThisTest(file).audit }
}

test('entries whose end is not known are counted by step, with the age of the oldest', async () => {
  const { store, audit } = await house()
  await store.writeTransaction(async (transaction) => {
    for (const [id, step, n, at] of [
      ['01A', 'generate', 4, 700],
      ['01B', 'disable', 1, 500],
      ['01C', 'disable', 2, 600],
      ['01D', 'publish', 2, 100],
    ] as const)
      await openEntry(transaction, { id, step, key: 'blog', n, at })
    await closeEntry(transaction, '01D', undefined)
  })
  expect(audit.backlog(now).open).toEqual([
    { step: 'disable', count: 2, oldestAt: 500 },
    { step: 'generate', count: 1, oldestAt: 700 },
  ])
})

test('an orphan is counted until somebody says that it is deleted', async () => {
  const { store, audit } = await house()
  const orphan = { key: 'blog', n: 4, vault: 'local', intent: '01A', resource: 'a' }
  await store.writeTransaction(async (transaction) => {
    await insertOrphan(transaction, orphan, 700)
    await insertOrphan(transaction, { ...orphan, n: 5, resource: 'b' }, 700)
  })
  expect(audit.backlog(now).orphans).toEqual([{ key: 'blog', count: 2 }])
  await store.writeTransaction((transaction) => forgetOrphan(transaction, orphan, 800))
  expect(audit.backlog(now).orphans).toEqual([{ key: 'blog', count: 1 }])
})

test('an orphan that has become a version is counted no more', async () => {
  const { store, audit } = await house()
  const { vault, resource } = versionOf('blog')
  await store.writeTransaction((transaction) =>
    insertOrphan(transaction, { key: 'blog', n: 9, vault, intent: '01A', resource }, 700),
  )
  expect(audit.backlog(now).orphans).toEqual([])
})

test('a version that waits is unproved once for each live process that could not sign with it', async () => {
  const { file, audit } = await house()
  expect(audit.backlog(now)).toEqual({ open: [], unproved: [], orphans: [], processes: 0 })
  const proof = (n: number, code: 'ok' | 'vault_denied') => ({ key: 'blog', n, code, at: now })
  const who = { host: 'node-1', pid: 42 }
  const at = { now, monotonicMs: 0 }
  audit.beat({ ...who, proofs: [proof(2, 'ok'), proof(3, 'vault_denied')] }, at)
  auditOfThisTest(file, 'T').audit.beat({ ...who, proofs: [] }, at)
  expect(audit.backlog(now)).toMatchObject({
    unproved: [{ key: 'blog', count: 3 }],
    processes: 2,
  })
  expect(audit.backlog(now + 30_000)).toMatchObject({ unproved: [], processes: 0 })
})
