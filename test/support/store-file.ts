import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { onTestFinished } from 'vitest'
import type { Link } from '../../src/audit/chain.ts'
import type { ChainHead, CommandRecord } from '../../src/audit/records.ts'
import type { AuditReport } from '../../src/audit/verify.ts'
import type { KeyVersion } from '../../src/keys/version.ts'
import { verifyAudit } from '../../src/service/audit.ts'
import { readAudit } from '../../src/store/audit-reader.ts'
import { AuditStore } from '../../src/store/audit-store.ts'
import type { WriterIdentity } from '../../src/store/chain-writer.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { insertVersion } from '../../src/store/versions.ts'

/** A path where no store is yet, in a directory that is gone when the test is over. */
export async function storeFile(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'chancery-store-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'chancery.db')
}

/** One process run: writers are told apart by their last characters. */
export function identityOf(writer: string, program = 'test'): WriterIdentity {
  return { writer: writer.padStart(26, '0'), program, environment: 'test' }
}

/** Opened, migrated if it is new, and closed when the test is over. */
export async function storeOfThisTest(file: string, writer = 'A'): Promise<Store> {
  const store = await openStore(file, identityOf(writer))
  onTestFinished(() => store[Symbol.asyncDispose]())
  return store
}

/** As the audit worker holds it. */
export type OpenAudit = { readonly database: DatabaseSync; readonly audit: AuditStore }

export function auditOfThisTest(file: string, writer = 'S'): OpenAudit {
  const database = openSqlite(file)
  onTestFinished(() => database.close())
  return { database, audit: new AuditStore(database, identityOf(writer, 'serve')) }
}

/** A connection as another tool has it, without anything of ours. */
export function rawOfThisTest(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 0 })
  onTestFinished(() => database.close())
  return database
}

/** A version with a key pair that no other has. */
export function versionOf(key: string, n = 1, part: Partial<KeyVersion> = {}): KeyVersion {
  return {
    key,
    n,
    state: 'active',
    source: 'generated',
    custody: 'software',
    vault: 'local',
    resource: `${key}@${n}.json`,
    algorithm: 'ES256',
    spki: new Uint8Array(randomBytes(91)),
    knownAnswer: undefined,
    kid: `kid-of-${key}-${n}`,
    createdAt: 1_000,
    madeBy: 'ada@host',
    generation: undefined,
    publishedAt: undefined,
    activatedAt: undefined,
    retiringAt: undefined,
    endedAt: undefined,
    withdrawnAt: undefined,
    disabledAt: undefined,
    ...part,
  }
}

/** Versions with the facts of their keys, in one transaction that leaves no audit record. */
export async function addVersions(store: Store, ...versions: readonly KeyVersion[]): Promise<void> {
  await store.writeTransaction(async ({ connection }) => {
    for (const version of versions) {
      await connection
        .insertInto('keys')
        .values({ ...factsFor(version), purpose: 'jwt', profile: null, created_at: 1_000 })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
      await insertVersion(connection, version)
    }
  })
}

function factsFor({ key, vault, algorithm }: KeyVersion) {
  return { name: key, vault, alg: algorithm }
}

export function commandRecord(part: Partial<CommandRecord> = {}): CommandRecord {
  return {
    type: 'command',
    at: 2_000,
    command: 'revoke',
    actor: 'root@host',
    subject: 'blog@1',
    reason: 'a test',
    before: 'active',
    after: 'revoked',
    ...part,
  }
}

/** A transaction that leaves one record, and before it that of its writer. */
export function recordCommand(store: Store, part: Partial<CommandRecord> = {}): Promise<void> {
  return store.writeTransaction(async (transaction) => transaction.record(commandRecord(part)))
}

/** Every record, writer by writer. */
export async function linksIn({ connection }: Store): Promise<readonly Link[]> {
  const links: Link[] = []
  for await (const one of readAudit(connection)) links.push(one)
  return links
}

/** What `audit verify` finds. */
export function verified(
  store: Store,
  checkpoint: readonly ChainHead[] = [],
): Promise<AuditReport> {
  return verifyAudit(store, checkpoint, () => {})
}
