import { toServiceError } from '../errors.ts'
import type { Key } from '../keys/key.ts'
import { versionName } from '../keys/version.ts'
import { deadline } from '../lib/deadline.ts'
import type { Lease } from '../store/lease.ts'
import { askedRotation } from '../store/rotations.ts'
import { wouldAsk } from './ask.ts'
import { clocksOf } from './clocks-of.ts'
import type { DecidedStep, DueStep, KeyFacts } from './facts.ts'
import type { DecisionDeps, Deed, Done, RotationDeps } from './job.ts'
import { loadFacts, lookAt, stateOf } from './load-facts.ts'
import { nextStep } from './next-step.ts'
import { perform } from './perform.ts'
import { renew } from './record.ts'

/** No key needs more; a bound, so that a mistake cannot make keys for ever. */
const stepsMax = 64

/**
 * For a step, and the look before it: an RSA-4096 key pair takes seconds. Shorter than the lease, which is
 * renewed before each external call and has to outlast it.
 */
const stepTimeoutMs = 20_000

/** What a run leaves to time, or to a human. */
export type Rest = Exclude<DecidedStep, DueStep>

/**
 * Load, decide, do one thing, record; until nothing is due. Safe to kill anywhere: what is not known
 * to be done has its intent in the journal, and the next run finishes it.
 *
 * @param tell told of each step when it is recorded, and of what did not work and stops nothing else.
 * @throws {ServiceError} `vault_*`, `registry_*`, `store_unavailable`, `refused` when another job took
 *   the lease, `clock_wrong`.
 */
export async function rotateKey(
  deps: RotationDeps,
  lease: Lease,
  key: Key,
  tell: {
    readonly done: (done: Done) => void
    readonly failed: (error: unknown, deed: Deed) => void
  },
): Promise<Rest> {
  const failed = new Set<string>()
  for (let i = 0; i < stepsMax; i += 1) {
    using limit = deadline(stepTimeoutMs)
    const { signal } = limit
    const asked = await askedRotation(deps.store.connection, key.name)
    const step = await decide(deps, key, { failed, asked }, signal)
    if (step.kind === 'done' || step.kind === 'wait' || step.kind === 'task') return step
    // Neither asks anybody else.
    if (step.kind === 'activate' || step.kind === 'retire') {
      await renew(deps, lease)
      await deps.hearVaultOf(step.version, signal)
    }
    assertTime(deps, key, step)
    try {
      for (const done of await perform(deps, lease, key, step, signal)) tell.done(done)
    } catch (error) {
      if (!isApart(step, error)) throw error
      failed.add(`${step.kind} ${step.version.n}`)
      const { key: of, n } = step.version
      tell.failed(error, { version: versionName(of, n), step: step.kind })
    }
  }
  throw new TypeError(`${key.name} needed more than ${stepsMax} steps`)
}

/**
 * What has ended can wait for a registry or a vault that is down, that does not answer in time, or that the
 * files of its configuration do not open; the key's next version cannot.
 */
function isApart(
  step: DueStep,
  error: unknown,
): step is Extract<DueStep, { kind: 'withdraw' | 'disable' }> {
  const { code } = toServiceError(error)
  const isOutside = /^(?:(?:vault|registry)_|(?:deadline_exceeded|config_invalid)$)/.test(code)
  return isOutside && (step.kind === 'withdraw' || step.kind === 'disable')
}

/**
 * Each step goes by instants and leaves its own in the store, where a wrong one stays when the clock is set.
 * But what has ended has ended, whatever the time is: its registry and its vault are told.
 */
function assertTime({ clocks }: DecisionDeps, key: Key, step: DecidedStep): void {
  switch (step.kind) {
    case 'done':
    case 'wait':
    case 'task':
    case 'disable':
      return
    case 'withdraw':
      if (step.isTimed) clocks.assertRight(clocksOf(key))
      return
    default:
      clocks.assertRight(clocksOf(key))
  }
}

/**
 * What would be done next, without doing it.
 *
 * @param failed what is taken for what did not work, `kind n`.
 * @throws {ServiceError} `registry_*`, `clock_wrong`.
 */
export async function planKey(
  deps: DecisionDeps,
  key: Key,
  signal: AbortSignal,
  failed: KeyFacts['failed'] = new Set(),
): Promise<DecidedStep> {
  const asked = await wouldAsk(deps.store.connection, key, deps.asked)
  const step = await decide(deps, key, { failed, asked }, signal)
  assertTime(deps, key, step)
  return step
}

/** Looks at the registry when the decision depends on it, and then only. */
async function decide(
  deps: DecisionDeps,
  key: Key,
  { failed, asked }: Pick<KeyFacts, 'failed' | 'asked'>,
  signal: AbortSignal,
): Promise<DecidedStep> {
  const registry = deps.registryOf(key)
  const facts = await loadFacts(deps, key, failed, asked)
  const first = nextStep(facts, deps.clock.now())
  if (first.kind !== 'look') return first
  const seen = await lookAt(deps.store, registry, signal)
  const second = nextStep({ ...facts, registry: stateOf(registry, seen) }, deps.clock.now())
  if (second.kind === 'look') throw new TypeError(`${key.name}: looked twice`)
  return second
}
