import { mayBeSwitchedTo } from '../keys/lifecycle.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import { endingStep, isCut } from './ending.ts'
import type { KeyFacts, Step } from './facts.ts'
import { needsSlot } from './slots.ts'

/**
 * The one next thing to do for a key; pure (DESIGN §7). What has ended is put away first, whatever keeps
 * the next version waiting; then the key comes to its steady state, of one version that signs and as many
 * published ones as wait to be the next.
 */
export function nextStep(facts: KeyFacts, now: number): Step {
  const ending = endingStep(facts, now)
  if (ending && isDeed(ending)) return ending
  const advancing = advancingStep(facts, now)
  const left = isDeed(advancing) ? undefined : interrupted(facts)
  const step = left && (isDeed(left) || advancing.kind === 'done') ? left : advancing
  return step.kind === 'done' && ending ? ending : step
}

/** Not of a kind that leaves a key to time, or to a human. */
function isDeed({ kind }: Step): boolean {
  return kind !== 'done' && kind !== 'wait' && kind !== 'task'
}

/**
 * A registry was to be told of a version, and whether it was is not known: it is told again, also when
 * another one has come to sign in between, or a revocation has let this one sign meanwhile. First those
 * whose tokens are in use.
 */
function interrupted(facts: KeyFacts): Step | undefined {
  const { versions, publishing, suspended, asked } = facts
  const inUse = versions.filter(
    ({ state, n }) => (state === 'active' || state === 'retiring') && !isCut(n, asked),
  )
  const version = [...inUse, ...waiting(facts)].find(
    ({ n }) => publishing.has(n) && !suspended.has(n),
  )
  return version && publication(version, facts)
}

/** The version that signs; of two, the one that came last. */
export function signing(versions: readonly KeyVersion[]): KeyVersion | undefined {
  return latest(versions.filter(isActive))
}

/** The version that signed last, and may do so still. */
export function lastSigning(versions: readonly KeyVersion[]): KeyVersion | undefined {
  return signing(versions) ?? latest(versions.filter((one) => one.activatedAt !== undefined))
}

function latest(versions: readonly KeyVersion[]): KeyVersion | undefined {
  const at = ({ activatedAt = 0 }: KeyVersion) => activatedAt
  return versions.toSorted((one, other) => at(one) - at(other) || one.n - other.n).at(-1)
}

/**
 * An earlier run's intent comes before everything that can wait: not before the switch from a version that has
 * to go at once, nor before a key signs at all. Its vault may be what keeps it open.
 */
function advancingStep(facts: KeyFacts, now: number): Step {
  const active = signing(facts.versions)
  const step = active ? succession(active, facts, now) : beginning(facts, now)
  const { openIntent } = facts
  if (!openIntent) return step
  const isUrgent = active ? mustGoNow(active, facts) : waiting(facts).length > 0
  return isUrgent && isDeed(step) ? step : { kind: 'resume', ...openIntent }
}

/**
 * The first version, which signs as soon as verifiers can see it; or the one after a revocation that left
 * none, when a human asks for it: a job on a timer would undo the decision within a minute.
 */
function beginning(facts: KeyFacts, now: number): Step {
  const last = lastSigning(facts.versions)
  if (last && facts.asked?.replaces !== last.n) return { kind: 'done', dueAt: undefined }
  const version = chosen(waiting(facts), facts)
  if (!version) return newVersion(facts, true)
  if (!isReady(version, facts)) return publication(version, facts)
  if (facts.suspended.has(version.n)) return waitFor({ kind: 'suspended', ...named(version) })
  const early = last && (notYetSeen(version, facts) ?? tooEarly(version, facts, now))
  return early ?? { kind: 'activate', version, retires: undefined }
}

/** Beside a version that signs: first those that wait, then the switch when it is due. */
function succession(active: KeyVersion, facts: KeyFacts, now: number): Step {
  const ready = readyOf(facts)
  const isDue = dueAt(active, facts, ready.length) <= now
  // What waits after it can be made later.
  if (!mustGoNow(active, facts) && ready.length < wanted(facts, isDue)) {
    const missing = another(facts, isDue, ready.length)
    if (missing) return missing
  }
  if (isDue) return promotion(active, ready, facts, now)
  const at = dueAt(active, facts, ready.length)
  return { kind: 'done', dueAt: at === Infinity ? undefined : at }
}

/** Somebody has asked for its end without overlap, and another one may take over. */
function mustGoNow({ n }: KeyVersion, facts: KeyFacts): boolean {
  return isCut(n, facts.asked) && readyOf(facts).some((ready) => !facts.suspended.has(ready.n))
}

function dueAt(active: KeyVersion, facts: KeyFacts, ready: number): number {
  const { asked, policy, source, provisioned } = facts
  if (asked?.replaces === active.n) return -Infinity
  // Terraform has taken from it what it needs to sign.
  if (provisioned?.enabled.has(active.n) === false) return -Infinity
  // Who imports a version wants it to sign.
  if (source === 'imported' && ready > policy.standby) return -Infinity
  return policy.everyMs === undefined ? Infinity : (active.activatedAt ?? 0) + policy.everyMs
}

/** One more than usual before a switch: there is a standby at any moment, where there are slots for it. */
function wanted({ policy, registry }: KeyFacts, isDue: boolean): number {
  const besideActive = registry.kind === 'app' ? (registry.slots ?? Infinity) - 1 : Infinity
  const usual = Math.min(policy.standby + (isDue ? 1 : 0), besideActive)
  return isDue ? Math.max(1, usual) : usual
}

/** One more version that is ready; undefined where the key has to do with those that it has. */
function another(facts: KeyFacts, isDue: boolean, ready: number): Step | undefined {
  const unpublished = waiting(facts).filter((version) => !isReady(version, facts))
  const next = unpublished.find((version) => !facts.suspended.has(version.n))
  if (next) return publication(next, facts)
  if (facts.source === 'generated') return newVersion(facts, isDue)
  if (isDue && ready > 0) return undefined
  return facts.source === 'imported' && !isDue ? undefined : newVersion(facts, isDue)
}

function newVersion(facts: KeyFacts, isDue: boolean): Step {
  switch (facts.source) {
    case 'imported':
      return { kind: 'task', task: { kind: 'import' } }
    case 'provisioned':
      return { kind: 'task', task: { kind: 'provision', isDue } }
    case 'generated': {
      const { registry } = facts
      const room = registry.kind === 'app' ? needsSlot(undefined, registry) : undefined
      return room ?? { kind: 'generate' }
    }
  }
}

function promotion(
  active: KeyVersion,
  ready: readonly KeyVersion[],
  facts: KeyFacts,
  now: number,
): Step {
  const version = chosen(ready, facts)
  if (!version) throw new TypeError('a rotation is due, and nothing was made for it')
  if (facts.suspended.has(version.n)) return waitFor({ kind: 'suspended', ...named(version) })
  const early = notYetSeen(version, facts) ?? tooEarly(version, facts, now)
  if (early) return early
  const unproved = facts.unproved.get(version.n) ?? []
  if (unproved.length > 0 && !facts.isForced) {
    return waitFor({ kind: 'proof', ...named(version), processes: unproved })
  }
  const actives = facts.versions.filter(isActive)
  if (actives.length < facts.activeMax) return { kind: 'activate', version, retires: undefined }
  // Which of two that sign is no longer used, only a human can know.
  const [oldest = active] = actives
  if (facts.activeMax > 1) {
    const next = versionName(version.key, version.n)
    return { kind: 'task', task: { kind: 'delete', ...named(oldest), next } }
  }
  return { kind: 'activate', version, retires: active }
}

function isActive({ state }: KeyVersion): boolean {
  return state === 'active'
}

/** Those that may come to sign, oldest first. */
function waiting({ versions, provisioned }: KeyFacts): readonly KeyVersion[] {
  return versions.filter(
    ({ state, n }) => mayBeSwitchedTo(state) && provisioned?.enabled.has(n) !== false,
  )
}

/** The one that its catalogue begins with, else the oldest; a suspended one only if all are. */
function chosen(versions: readonly KeyVersion[], facts: KeyFacts): KeyVersion | undefined {
  const usable = versions.filter(({ n }) => !facts.suspended.has(n))
  const initial = usable.find(({ n }) => n === facts.provisioned?.initial)
  const published = usable.find(({ state }) => state === 'published')
  const isFirst = lastSigning(facts.versions) === undefined
  return (isFirst ? initial : undefined) ?? published ?? usable[0] ?? versions[0]
}

function readyOf(facts: KeyFacts): readonly KeyVersion[] {
  return waiting(facts).filter((version) => isReady(version, facts))
}

/** Published, where somebody has to know it. */
function isReady({ state }: KeyVersion, { registry }: KeyFacts): boolean {
  return state === 'published' || registry.kind === 'none'
}

function publication(version: KeyVersion, { registry, suspended }: KeyFacts): Step {
  if (suspended.has(version.n)) return waitFor({ kind: 'suspended', ...named(version) })
  // Its registry shows it to people alone, and nobody has said yet that it does.
  if (registry.kind === 'manual') {
    return { kind: 'task', task: { kind: 'confirm', ...named(version) } }
  }
  const room = registry.kind === 'app' ? needsSlot(version, registry) : undefined
  return room ?? { kind: 'publish', version }
}

/** Somebody may have deleted it since it was read back: it is told again, and seen from then on. */
function notYetSeen(version: KeyVersion, facts: KeyFacts): Step | undefined {
  const { registry } = facts
  if (registry.kind !== 'app') return undefined
  if (!registry.seen) return { kind: 'look' }
  const isThere = registry.seen.keys.some(({ kid }) => kid === version.kid)
  return isThere && !facts.publishing.has(version.n) ? undefined : publication(version, facts)
}

function tooEarly(
  version: KeyVersion,
  { registry, policy }: KeyFacts,
  now: number,
): Step | undefined {
  const registryMs = registry.kind === 'app' ? (registry.seen?.propagationMs ?? 0) : 0
  const { publishedAt, createdAt } = version
  const until = (publishedAt ?? createdAt) + Math.max(policy.propagationMs, registryMs)
  return until <= now ? undefined : waitFor({ kind: 'propagation', ...named(version), until })
}

function named({ key, n }: KeyVersion): { readonly version: string } {
  return { version: versionName(key, n) }
}

function waitFor(wait: Extract<Step, { kind: 'wait' }>['wait']): Step {
  return { kind: 'wait', wait }
}
