import type { Denial, Intent, Outcome } from './records.ts'

/** What signing needs of the audit. */
export interface AuditLog {
  /**
   * Durable when it resolves. The transaction also read that key, version and caller may sign now.
   *
   * @returns the monotonic instant, in milliseconds, from before the transaction began: the release
   *   window counts from it (DESIGN §3, R2).
   * @throws {ServiceError} `suspended`, `version_revoked`, `version_not_active`: no record was made;
   *   `audit_unavailable`, `overloaded`: whether one was made is unknown.
   */
  commitIntent(intent: Intent, signal: AbortSignal): Promise<number>

  /**
   * Reads once more whether an intent's version and caller may sign, for a signature that came late.
   *
   * @returns and throws as `commitIntent`.
   */
  stillMaySign(intent: Intent, signal: AbortSignal): Promise<number>

  /** Queued behind its intent, and not awaited. */
  noteOutcome(outcome: Outcome): void

  /** Not awaited, and aggregated above a rate. */
  noteDenial(denial: Denial): void
}

/** What a batch carries across to whoever writes it. Bodies are the exact bytes to store. */
export type AuditBatch = {
  readonly intents: readonly IntentEntry[]
  /** Outcomes and denials: they stand behind the intents, and nothing can refuse them. */
  readonly notes: readonly string[]
  /** Looked at in the same transaction, nothing is stored for them. */
  readonly checks: readonly SigningSubject[]
}

/** On whom and what an intent relies. */
export type SigningSubject = {
  readonly caller: string
  readonly key: string
  readonly version: number
}

export type IntentEntry = SigningSubject & { readonly body: string }

/** Anything but `may_sign`, a missing answer included, means that no record was made. */
export type Verdict = 'may_sign' | 'suspended' | 'version_revoked' | 'version_not_active'

export type AuditBatchResult = {
  readonly intents: readonly Verdict[]
  readonly checks: readonly Verdict[]
}

/** Commits a batch durably, or throws and has stored nothing of it. */
export type CommitBatch = (batch: AuditBatch) => Promise<AuditBatchResult>
