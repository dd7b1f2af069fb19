import type { ErrorCode } from '../errors.ts'
import type { VersionState } from '../keys/lifecycle.ts'

/**
 * What the audit holds: ids, decisions, names, digests and times. Never messages, tokens,
 * signatures, secrets, or claims (but `jti` and `exp`). Instants are epoch milliseconds.
 */
export type AuditRecord = WriterStart | Intent | Outcome | Denial | CommandRecord

/** A head of another writer's chain: with it, a whole chain cannot vanish unseen. */
export type ChainHead = { readonly writer: string; readonly seq: number; readonly hash: string }

/** The first record of every writer: which program it is, and the heads it saw. */
export type WriterStart = {
  readonly type: 'writer'
  readonly at: number
  readonly writer: string
  readonly program: string
  readonly environment: string
  readonly heads: readonly ChainHead[]
}

/** Committed before a signature is released, in a transaction that reads whether it may be. */
export type Intent = {
  readonly type: 'intent'
  readonly at: number
  readonly request: string
  /** What the caller called the request, if it did. */
  readonly callerRequest: string | undefined
  readonly caller: string
  readonly key: string
  readonly version: number
  readonly kid: string
  readonly alg: string
  readonly operation: string
  readonly grant: string
  /** Keyed (HMAC-SHA-256, base64url): a plain digest of a guessable input would be a leak. */
  readonly inputDigest: string
  readonly jti: string | undefined
  readonly exp: number | undefined
}

/** What became of an intent. */
export type Outcome = {
  readonly type: 'outcome'
  readonly at: number
  readonly request: string
  readonly result: 'released' | ErrorCode
  /** SHA-256 of the signature, base64url; only of a released one. */
  readonly signatureDigest: string | undefined
  readonly vaultMs: number | undefined
  /** What the vault calls its request, where it says so; only of a released one. */
  readonly vaultRequest: string | undefined
}

/** A refusal after authentication; above a rate, one record stands for `count` of them. */
export type Denial = {
  readonly type: 'denial'
  readonly at: number
  readonly request: string
  readonly callerRequest: string | undefined
  readonly caller: string
  /** As asked, whether there is such a key or not. */
  readonly key: string
  readonly operation: string
  readonly code: ErrorCode
  readonly rule: string | undefined
  readonly count: number
}

/** A command or rotation step that changed state, in the transaction that changed it. */
export type CommandRecord = {
  readonly type: 'command'
  readonly at: number
  readonly command: string
  /** Who ran it: the operating system's user and host, as the process sees them. */
  readonly actor: string
  readonly subject: string
  readonly reason: string | undefined
  readonly before: VersionState | 'none' | 'suspended' | undefined
  readonly after: VersionState | 'suspended' | 'resumed' | undefined
}
