import type { AuditLog } from '../../src/audit/log.ts'
import type { Denial, Intent, Outcome } from '../../src/audit/records.ts'
import { type ErrorCode, ServiceError } from '../../src/errors.ts'
import type { Clock } from '../../src/lib/clock.ts'

/** What the audit says to an intent: the instant of its reading, or a refusal that it throws. */
export type Verdict = (intent: Intent, signal: AbortSignal) => number | Promise<number>

/** The audit in memory; it permits everything until a test says otherwise. */
export type RememberingAudit = AuditLog & {
  /** Every intent that was asked for, permitted or not. */
  readonly asked: readonly Intent[]
  /** Those that were committed. */
  readonly intents: readonly Intent[]
  readonly outcomes: readonly Outcome[]
  readonly denials: readonly Denial[]
  /** In order: `intent`, `check`, `outcome released`, `denial claims_refused`. */
  readonly events: readonly string[]
  answerIntents(verdict: Verdict): void
  answerChecks(verdict: Verdict): void
}

export function rememberingAudit(clock: Clock): RememberingAudit {
  const asked: Intent[] = []
  const intents: Intent[] = []
  const outcomes: Outcome[] = []
  const denials: Denial[] = []
  const events: string[] = []
  const verdicts: { intent: Verdict; check: Verdict } = {
    intent: () => clock.monotonicMs(),
    check: () => clock.monotonicMs(),
  }
  return {
    asked,
    intents,
    outcomes,
    denials,
    events,
    answerIntents: (verdict) => void (verdicts.intent = verdict),
    answerChecks: (verdict) => void (verdicts.check = verdict),
    async commitIntent(intent, signal) {
      asked.push(intent)
      const readAtMs = await verdicts.intent(intent, signal)
      intents.push(intent)
      events.push('intent')
      return readAtMs
    },
    async stillMaySign(intent, signal) {
      events.push('check')
      return verdicts.check(intent, signal)
    },
    noteOutcome(outcome) {
      outcomes.push(outcome)
      events.push(`outcome ${outcome.result}`)
    },
    noteDenial(denial) {
      denials.push(denial)
      events.push(`denial ${denial.code}`)
    },
  }
}

/** As the audit's transaction refuses, or as a store that cannot be written fails. */
export function refusing(code: ErrorCode): Verdict {
  return () => {
    const cause = new Error('canary: disk full on /var/canary/chancery.db')
    throw new ServiceError(code, `Refused by a test: ${code}`, { cause })
  }
}

/** The audit whose store cannot be written. */
export function failingAudit(clock: Clock): RememberingAudit {
  const audit = rememberingAudit(clock)
  audit.answerIntents(refusing('audit_unavailable'))
  audit.answerChecks(refusing('audit_unavailable'))
  return audit
}
