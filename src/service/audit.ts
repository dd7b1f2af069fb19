import { hash } from 'node:crypto'
import { AuditFinder, type FoundRecord } from '../audit/find.ts'
import type { InputDigest } from '../audit/input-digest.ts'
import type { ChainHead } from '../audit/records.ts'
import { type AuditReport, ChainVerifier } from '../audit/verify.ts'
import { z } from 'zod'
import { ServiceError } from '../errors.ts'
import { parseJson } from '../lib/json.ts'
import { utf8 } from '../lib/bytes.ts'
import { readAudit, readQuotedHeads } from '../store/audit-reader.ts'
import type { Store } from '../store/store.ts'

/**
 * Reads the whole audit and checks every chain.
 *
 * @param checkpoint heads that an earlier report printed: a tail cut since then is seen by them.
 * @param progress called now and then with the number of records read.
 */
export async function verifyAudit(
  { connection }: Store,
  checkpoint: readonly ChainHead[],
  progress: (records: number) => void,
): Promise<AuditReport> {
  const verifier = new ChainVerifier([...checkpoint, ...(await readQuotedHeads(connection))])
  let records = 0
  try {
    for await (const record of readAudit(connection)) {
      verifier.accept(record)
      records += 1
      if (records % progressEvery === 0) progress(records)
    }
  } catch (error) {
    // A store that cannot be read is one thing, a row that nobody of ours wrote another.
    if (error instanceof ServiceError) throw error
    verifier.acceptUnreadable()
  }
  return verifier.finish()
}

const progressEvery = 100_000

export type { AuditReport, ChainHead, InputDigest }

/** What was looked for, and the records about it; none means that this store knows nothing of it. */
export type FoundInput = { readonly label: string; readonly records: readonly FoundRecord[] }

/** One pass over the audit for any number of signed inputs. */
export async function findInAudit(
  { connection }: Store,
  digestOf: InputDigest,
  inputs: readonly SoughtInput[],
): Promise<readonly FoundInput[]> {
  const wanted = inputs.map(({ label, signed }) => ({ label, digests: signed.map(digestOf) }))
  const finder = new AuditFinder(wanted.flatMap(({ digests }) => digests))
  for await (const record of readAudit(connection)) finder.accept(record)
  return wanted.map(({ label, digests }) => ({
    label,
    records: digests.flatMap((digest) => finder.recordsOf(digest)),
  }))
}

/** A token or a file, and all that the service may have been asked to sign in its place. */
export type SoughtInput = { readonly label: string; readonly signed: readonly Uint8Array[] }

/** A message may have come as it is, or as the digest of one of the hashes that we sign. */
export function signedForms(message: Uint8Array): readonly Uint8Array[] {
  const hashes = ['sha256', 'sha384', 'sha512'] as const
  return [message, ...hashes.map((name) => hash(name, message, 'buffer'))]
}

const earlierReport = z.object({
  heads: z.array(z.object({ writer: z.string(), seq: z.int(), hash: z.string() })),
})

/**
 * The heads in a report that `audit verify --json` printed earlier.
 *
 * @throws {ServiceError} `usage`.
 */
export function readCheckpoint(text: string): readonly ChainHead[] {
  try {
    return earlierReport.parse(parseJson(text)).heads
  } catch (cause) {
    throw new ServiceError('usage', 'A checkpoint is what `audit verify --json` printed', { cause })
  }
}

/** What a JWT's signature covers: its first two segments (RFC 7515 §5.1). */
export function signedPart(jwt: string): Uint8Array {
  return utf8(jwt.split('.').slice(0, 2).join('.'))
}
