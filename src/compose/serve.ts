import { hostname } from 'node:os'
import type { AuditBatch } from '../audit/log.ts'
import { AuditQueue } from '../audit/queue.ts'
import { ServiceError } from '../errors.ts'
import { signApp } from '../http/app.ts'
import type { Observation } from '../http/endpoint.ts'
import { listen } from '../http/listen.ts'
import { outsideSteps } from '../keys/step.ts'
import type { Listener } from '../listener/server.ts'
import { type ClockReading, ClockWatch } from '../lib/clock-watch.ts'
import { deadline, every, pause, within } from '../lib/deadline.ts'
import type { Logger } from '../lib/log.ts'
import { ulidSource } from '../lib/ulid.ts'
import { conditionMetrics } from '../ops/condition-metrics.ts'
import { type Metrics, metrics } from '../ops/metrics.ts'
import { type NotReady, opsApp } from '../ops/app.ts'
import { indexGrants } from '../policy/decide.ts'
import { conditionOf } from '../service/condition.ts'
import { heartbeat } from '../service/heartbeat.ts'
import { Limits } from '../service/limits.ts'
import { lookAgainEveryMs, reinspection } from '../service/reinspection.ts'
import { SigningKeys } from '../service/signing-keys.ts'
import type { Vault } from '../signing/signer.ts'
import { AuditThread } from '../store/audit-thread.ts'
import {
  clock,
  openCheckedStore,
  readConfig,
  readInputDigest,
  writerIdentity,
} from './foundation.ts'
import { callerAuthenticator } from './authentication.ts'
import { cutOffByFiles } from './cut-off.ts'
import { assertDenials, warnOfProcess } from './self-check.ts'
import { openSignListener } from './sign-listener.ts'
import { guardVaults } from './vault-guards.ts'
import { openVaults, type ServiceConfig } from './vaults.ts'

/** A state that another process changed is seen after at most this long; intents see it at once. */
const reloadEveryMs = 500

/** Opening every version, before the process is ready; what is open then is served. */
const warmUpMs = 10_000

/** Whether each open version still can only sign (DESIGN §5). */
const reinspectEveryMs = 600_000

/** Longer than the longest deadline of a request. */
const closeGraceMs = 6_000

/** While draining it still serves: whoever sends traffic needs that long to see that it is not ready. */
type Phase = 'starting' | 'serving' | 'draining' | 'closing'

export type Service = {
  readonly urls: { readonly sign: string; readonly ops: string }
  /** Settles when the audit writer is gone: without it nothing can be signed, and only a restart helps. */
  readonly writerEnded: Promise<void>
  /** Not ready, drain, stop accepting, finish, flush the audit. */
  stop(): Promise<void>
}

/**
 * Composes and starts the service. What is imported here contains no generator, importer or
 * disabler, and no registry credential is read: sign-only holds in the code.
 *
 * @throws {ServiceError} `config_invalid`, `store_unavailable`, `store_mismatch`.
 */
export async function startService(configFile: string, log: Logger): Promise<Service> {
  const config = readConfig(configFile)
  const newId = ulidSource()
  const identity = writerIdentity('serve', config)
  await (await openCheckedStore(config, identity))[Symbol.asyncDispose]()
  const clocks = new ClockWatch(clock, (reading) => tellOfClock(log, reading))
  const [inputDigest, opened] = await Promise.all([
    readInputDigest(config),
    openVaults(config.vaults, 'caller', clocks),
  ])

  // What was started ends again when a later step fails: a live thread would keep the process.
  await using started = new AsyncDisposableStack()
  const thread = started.use(new AuditThread(config.store.sqlite, identity))
  const phase: { now: Phase } = { now: 'starting' }
  const { keys, readiness, measured } = composeKeys({ thread, config, phase, opened, clocks, log })
  measureCondition(measured, { config, keys, thread })
  const audit = auditQueue(thread, measured, log)
  await warmUp(keys, log)
  const timers = started.use(await keepInTouch({ keys, thread, measured, log }))

  const appDeps = {
    authenticator: callerAuthenticator(config.callers, { clock, log }),
    grants: indexGrants(config.grants),
    limits: new Limits(clock),
    isClosing: () => phase.now === 'closing',
    observe: (observation: Observation) => measured.observeRequest(observation),
    keys,
    audit,
    clock,
    newId,
    log,
    inputDigest,
  }
  await assertDenials((parts) => signApp({ ...appDeps, ...parts }))
  const requestId = () => newId(clock.now())
  const listening = { requestId, measured, log }
  const sign = await openSignListener(signApp(appDeps), config.listen.sign, listening)
  started.defer(() => sign.close(closeGraceMs))
  const ops = await listen(opsApp(readiness, measured), config.listen.ops.address, { requestId })
  started.move() // from here on `stop` ends them, in its own order
  phase.now = 'serving'
  warnIfIdle(config, keys, log)
  warnOfProcess(log)
  return {
    urls: { sign: sign.url, ops: ops.url },
    writerEnded: thread.ended,
    stop: () => stop({ config, phase, sign, ops, timers, audit, thread, log }),
  }
}

type KeyParts = {
  readonly thread: AuditThread
  readonly config: ServiceConfig
  readonly phase: { readonly now: Phase }
  readonly opened: ReadonlyMap<string, Vault>
  readonly clocks: ClockWatch
  readonly log: Logger
}

/** The keys, each vault of theirs behind its guard, and what is measured of both. */
function composeKeys({ thread, config, phase, opened, clocks, log }: KeyParts) {
  const readiness = () => notReady(phase.now, thread.isAlive, keys.activeCount)
  const measured = metrics({
    activeKeys: () => keys.activeCount,
    usableKeys: () => keys.usableCount,
    isReady: () => readiness() === undefined,
    conditions: () => conditions,
    clocks: () => clocks.readings,
  })
  const { vaults, conditions } = guardVaults(opened, config.vaults, { clock, observer: measured })
  const keys = new SigningKeys({
    vaults,
    clock,
    log,
    snapshot: (revision) => snapshot(thread, config, revision),
  })
  return { keys, readiness, measured }
}

type Running = {
  readonly config: ServiceConfig
  readonly phase: { now: Phase }
  readonly sign: Listener
  readonly ops: Listener
  readonly timers: Disposable
  readonly audit: AuditQueue
  readonly thread: AuditThread
  readonly log: Logger
}

/** In this order: nobody is cut off, and nothing that happened goes unrecorded. */
async function stop(running: Running): Promise<void> {
  const { config, phase, sign, ops, timers, audit, thread, log } = running
  phase.now = 'draining'
  await pause(config.listen.drainDelayMs)
  phase.now = 'closing'
  await sign.close(closeGraceMs)
  timers[Symbol.dispose]()
  await flush(audit, log)
  await thread[Symbol.asyncDispose]()
  await ops.close(closeGraceMs)
}

/** A disk that hangs must not keep the process: what is not stored then is outcomes, never intents. */
async function flush(audit: AuditQueue, log: Logger): Promise<void> {
  using limit = deadline(closeGraceMs)
  const late = (error: unknown) => log.error('the last outcomes were not stored', error)
  await within(audit.flush(), limit.signal).catch(late)
}

function measureCondition(
  { registry }: Metrics,
  {
    config,
    keys,
    thread,
  }: {
    readonly config: ServiceConfig
    readonly keys: SigningKeys
    readonly thread: AuditThread
  },
): void {
  const { keys: configured, rotations } = config
  const everyMs = new Map([...configured.keys()].map((key) => [key, rotations.get(key)?.everyMs]))
  const cutOff = cutOffByFiles(config)
  conditionMetrics(registry, {
    read: async () => conditionOf(keys.versions, await thread.backlog(), everyMs, await cutOff()),
    now: () => clock.now(),
    steps: outsideSteps,
  })
}

/**
 * Reads the store again and again, and says in it that this process serves: before anything is served,
 * so that from then on a switch waits until this process, too, has proved the version.
 */
async function keepInTouch({
  keys,
  thread,
  measured,
  log,
}: {
  readonly keys: SigningKeys
  readonly thread: AuditThread
  readonly measured: Metrics
  readonly log: Logger
}): Promise<Disposable> {
  const who = { host: hostname(), pid: process.pid }
  const beat = heartbeat({
    found: () => keys.proofs,
    beat: (proofs) => thread.beat({ ...who, proofs }),
    clock,
    log,
  })
  await beat()
  const timers = new DisposableStack()
  timers.use(every(reloadEveryMs, () => refresh(keys, log)))
  timers.use(every(reloadEveryMs, beat))
  const { round, lookAgain } = reinspection({
    keys,
    suspend: (name, reason) => thread.suspendVersion({ name, reason }),
    observe: (vault, result) => measured.reinspected(vault, result),
    log,
  })
  timers.use(every(reinspectEveryMs, round))
  timers.use(every(lookAgainEveryMs, lookAgain))
  return timers
}

/** Every version is tried once before anything is served; then what is open is served. */
async function warmUp(keys: SigningKeys, log: Logger): Promise<void> {
  using limit = deadline(warmUpMs)
  await keys.reload(limit.signal).catch((error: unknown) => log.error('reload failed', error))
}

/** A vault that hangs does not keep the others' changes from being seen. */
async function refresh(keys: SigningKeys, log: Logger): Promise<void> {
  using limit = deadline(warmUpMs)
  await keys.refresh(limit.signal).catch((error: unknown) => log.error('reload failed', error))
}

/** It goes on signing: only whoever verifies can say what a token of the wrong time is worth. */
function tellOfClock(log: Logger, { source, aheadMs, verdict }: ClockReading): void {
  const fields = { source, aheadSeconds: Math.round(aheadMs / 1_000) }
  if (verdict === 'fine') log.info('the clock is right again', fields)
  else log.warn('the clock differs: set it by NTP', { ...fields, verdict })
}

function auditQueue(thread: AuditThread, measured: Metrics, log: Logger): AuditQueue {
  const commit = (batch: AuditBatch) => thread.commit(batch)
  return new AuditQueue(commit, clock, (error) => {
    measured.auditFailed()
    log.error('audit batch failed', error)
  })
}

/** Only the versions of configured keys; a store that cannot be read is the audit's failure. */
async function snapshot(
  thread: AuditThread,
  { keys }: ServiceConfig,
  revision: number | undefined,
) {
  try {
    const found = await thread.snapshot(revision)
    return found && { ...found, versions: found.versions.filter(({ key }) => keys.has(key)) }
  } catch (cause) {
    throw new ServiceError('audit_unavailable', 'The state of the key could not be read', { cause })
  }
}

function notReady(phase: Phase, writerIsAlive: boolean, activeCount: number): NotReady | undefined {
  if (phase === 'starting') return 'starting'
  if (phase !== 'serving') return 'draining'
  if (!writerIsAlive) return 'audit writer dead'
  return activeCount > 0 ? undefined : 'no versions: run chancery rotate'
}

function warnIfIdle(
  { grants, warnings }: ServiceConfig,
  { activeCount }: SigningKeys,
  log: Logger,
): void {
  if (activeCount === 0) log.warn('no versions: run chancery rotate')
  if (grants.length === 0) log.warn('no grants: nobody may sign')
  for (const { path, message } of warnings) log.warn('configuration', { path, message })
}
