import type { ClockReading } from '../lib/clock-watch.ts'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** From a cached answer to the longest deadline. */
const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

export type Metrics = {
  readonly registry: Registry
  /** One request, when it has been answered. */
  observeRequest(request: {
    readonly route: string
    readonly key: string | undefined
    readonly code: string
    readonly ms: number
    /** Why a credential proved nothing. */
    readonly refusal?: string | undefined
  }): void
  /** A credential that proved nothing before there was a request. */
  authenticationFailed(reason: string): void
  auditFailed(): void
  /** One request to a vault, when it was answered or given up. */
  vaultAnswered(request: {
    readonly vault: string
    readonly code: string
    readonly ms: number
  }): void
  /** One that was not sent. */
  vaultRefused(vault: string, reason: string): void
  /** A version that was looked at again. */
  reinspected(vault: string, result: string): void
}

/** A vault over a network, as it is at this moment. */
export type VaultCondition = { readonly breakerState: string; readonly waiting: number }

/**
 * Every metric of the service. Labels come from the configuration or a closed list: a caller cannot
 * make one up.
 */
export function metrics(sources: {
  readonly activeKeys: () => number
  readonly usableKeys: () => number
  readonly isReady: () => boolean
  /** By the vaults' names in the configuration. */
  readonly conditions: () => Iterable<readonly [string, VaultCondition]>
  /** What other clocks have said of ours. */
  readonly clocks: () => readonly ClockReading[]
}): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const requests = new Counter({
    name: 'chancery_requests_total',
    help: 'Requests on the sign listener, by route, key and code (ok, or the problem)',
    labelNames: ['route', 'key', 'code'],
    registers,
  })
  const refusals = new Counter({
    name: 'chancery_authentication_failures_total',
    help: 'Credentials that proved nothing, by reason',
    labelNames: ['reason'],
    registers,
  })
  const seconds = new Histogram({
    name: 'chancery_request_seconds',
    help: 'Time to answer, by route',
    labelNames: ['route'],
    buckets: secondsBuckets,
    registers,
  })
  const auditFailures = new Counter({
    name: 'chancery_audit_failures_total',
    help: 'Audit batches that could not be written: nothing was signed on them',
    registers,
  })
  const vaults = vaultMetrics(registry, sources.conditions)
  clockMetric(registry, sources.clocks)
  gauge(registry, 'chancery_active_keys', 'Keys with a version that signs', sources.activeKeys)
  gauge(registry, 'chancery_usable_keys', 'Of these, opened in their vault', sources.usableKeys)
  gauge(registry, 'chancery_ready', '1 when /readyz answers 200', () => Number(sources.isReady()))
  return {
    registry,
    observeRequest({ route, key, code, ms, refusal }) {
      if (refusal !== undefined) refusals.inc({ reason: refusal })
      requests.inc({ route, key: labelKey(key, code), code })
      seconds.observe({ route }, ms / 1_000)
    },
    authenticationFailed: (reason) => refusals.inc({ reason }),
    auditFailed: () => auditFailures.inc(),
    ...vaults,
  }
}

function vaultMetrics(
  registry: Registry,
  conditions: () => Iterable<readonly [string, VaultCondition]>,
): Pick<Metrics, 'vaultAnswered' | 'vaultRefused' | 'reinspected'> {
  const registers = [registry]
  const requests = new Counter({
    name: 'chancery_vault_requests_total',
    help: 'Requests that were sent to a vault, each try by itself, by code (ok, or what went wrong)',
    labelNames: ['vault', 'code'],
    registers,
  })
  const seconds = new Histogram({
    name: 'chancery_vault_request_seconds',
    help: 'Time until the vault answered, or was given up',
    labelNames: ['vault'],
    buckets: secondsBuckets,
    registers,
  })
  const refusals = new Counter({
    name: 'chancery_vault_refusals_total',
    help: 'Requests that were not sent to a vault: breaker, queue, quota or rest',
    labelNames: ['vault', 'reason'],
    registers,
  })
  const reinspections = new Counter({
    name: 'chancery_reinspections_total',
    help: 'Open versions that were looked at again: unchanged, unknown, denied, or changed and so suspended',
    labelNames: ['vault', 'result'],
    registers,
  })
  const each = (name: string, help: string, read: (condition: VaultCondition) => number): void => {
    const made: Gauge<'vault'> = new Gauge({
      name,
      help,
      labelNames: ['vault'],
      registers,
      collect() {
        for (const [vault, condition] of conditions()) made.set({ vault }, read(condition))
      },
    })
  }
  each('chancery_vault_waiting', 'Requests that wait for a place', ({ waiting }) => waiting)
  each('chancery_vault_breaker_open', '1 while a vault is not asked', ({ breakerState }) =>
    Number(breakerState !== 'closed'),
  )
  return {
    vaultAnswered({ vault, code, ms }) {
      requests.inc({ vault, code })
      seconds.observe({ vault }, ms / 1_000)
    },
    vaultRefused: (vault, reason) => refusals.inc({ vault, reason }),
    reinspected: (vault, result) => reinspections.inc({ vault, result }),
  }
}

function clockMetric(registry: Registry, readings: () => readonly ClockReading[]): void {
  const made: Gauge<'source'> = new Gauge({
    name: 'chancery_clock_skew_seconds',
    help: 'How far our clock was ahead of that of a vault when it last answered',
    labelNames: ['source'],
    registers: [registry],
    collect() {
      for (const { source, aheadMs } of readings()) made.set({ source }, aheadMs / 1_000)
    },
  })
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  const made: Gauge = new Gauge({
    name,
    help,
    registers: [registry],
    collect: () => made.set(read()),
  })
}

/** Before a grant has shown that the key's name is ours it is the caller's text, and no label. */
function labelKey(key: string | undefined, code: string): string {
  return key !== undefined && knownKeyCodes.has(code) ? key : '-'
}

/** What is answered only after a grant was found; a code that is not here shows no key. */
const knownKeyCodes: ReadonlySet<string> = new Set([
  'ok',
  'wrong_purpose',
  'malformed_signing_input',
  'claim_not_allowed',
  'looks_like_jwt',
  'operation_not_granted',
  'claims_refused',
  'suspended',
  'version_revoked',
  'no_public_key',
  'version_not_active',
  'rate_limited',
  'signature_invalid',
  'vault_unavailable',
  'vault_throttled',
  'vault_denied',
  'vault_key_unusable',
  'audit_unavailable',
  'no_active_version',
])
