import { instant } from '../lib/clock.ts'
import type { CameTo, PlannedStep } from './host.ts'
import type { DecidedStep, Task, Wait } from '../rotation/facts.ts'
import { problemOf } from './failure.ts'

/** What would be done next, or what it waits for, for people. */
export function stepWords(step: PlannedStep): string {
  switch (step.kind) {
    case 'revoke':
      return `${nameOf(step)} WOULD BE REVOKED, as a catalogue says`
    case 'adopt':
      return `generation ${step.generation} would become ${nameOf(step)}`
    case 'generate':
      return 'a version would be made'
    case 'resume':
      return 'an interrupted run would be finished'
    case 'publish':
      return `${nameOf(step)} would be told to its registry`
    case 'activate':
      return step.retires
        ? `${nameOf(step)} would sign instead of ${step.retires.key}@${step.retires.n}`
        : `${nameOf(step)} would sign`
    case 'withdraw':
      return `${nameOf(step)} would be taken from its registry`
    case 'retire':
      return `${nameOf(step)} would be retired`
    case 'disable':
      return `${nameOf(step)} would be disabled in its vault`
    case 'wait':
      return waitWords(step.wait)
    case 'task':
      return taskWords(step.task)
    case 'done':
      return `nothing is due${step.dueAt === undefined ? '' : ` before ${instant(step.dueAt)}`}`
  }
}

/**
 * Of a version that a command was to let sign, and that does not yet; empty where nothing is known of it. What is due
 * after the command may have failed: when its version signs, or has ended, that is about another one of its key.
 *
 * @param version `key@n`.
 * @param state of it, after the command.
 */
export function unfinishedWords(
  version: string,
  state: string,
  { activationError, waitsFor }: Unfinished,
): readonly string[] {
  const key = keyOf(version)
  if (activationError === undefined) return notYetWords(key, waitsFor)
  const isToSign = state === 'created' || state === 'published'
  const what = isToSign ? 'It does not sign yet' : `What else is due for ${key} failed`
  return [`${what}: ${problemOf(activationError).message}. Run \`chancery rotate ${key}\``]
}

function notYetWords(key: string, cameTo: CameTo): readonly string[] {
  if (cameTo === undefined) return []
  const words = cameTo === 'busy' ? 'waits: another job is at work' : stepWords(cameTo)
  const why = words.replace(/^waits: /, 'it waits: ')
  return [`It does not sign yet: ${why}. Then run \`chancery rotate ${key}\``]
}

/** @param version `key@n`. */
export function keyOf(version: string): string {
  return version.slice(0, version.indexOf('@'))
}

type Unfinished = { readonly activationError: unknown; readonly waitsFor: CameTo }

/** What it waits for, for programs. */
export function notYetDocument(cameTo: CameTo): object | null {
  if (cameTo === undefined) return null
  if (cameTo === 'busy') return { kind: 'busy' }
  switch (cameTo.kind) {
    case 'wait':
      return cameTo.wait
    case 'task':
      return { kind: 'task', task: cameTo.task }
    case 'done':
      return { kind: 'done' }
  }
}

/** At the end of a run; where nothing is due there is nothing to say. */
export function isWorthSaying({ kind }: DecidedStep): boolean {
  return kind === 'wait' || kind === 'task'
}

function nameOf({ version }: { readonly version: { readonly key: string; readonly n: number } }) {
  return `${version.key}@${version.n}`
}

function waitWords(wait: Wait): string {
  switch (wait.kind) {
    case 'slots':
      return slotsWords(wait)
    case 'propagation':
      return `waits: verifiers may not see ${wait.version} before ${instant(wait.until)}`
    case 'proof':
      return `waits: ${wait.version} is not proved by ${wait.processes.join(', ')}. See their logs; --force-switch goes on without`
    case 'suspended':
      return `waits: ${wait.version} is suspended. Resume it, or revoke it`
    case 'overlap':
      return `waits: ${wait.version} stays published until ${instant(wait.until)}`
    case 'used':
      return `waits: ${wait.version} was used not long ago, and stays published until ${instant(wait.until)}`
  }
}

function slotsWords({ slots, unknownKids, versions }: Extract<Wait, { kind: 'slots' }>): string {
  const takers = [
    ...(versions.length > 0 ? [versions.join(', ')] : []),
    ...(unknownKids.length > 0 ? [`keys that we do not know: ${unknownKids.join(', ')}`] : []),
  ]
  return `waits: all ${slots} slots at the registry are taken, by ${takers.join(' and ')}. Delete there what nobody uses`
}

function taskWords(task: Task): string {
  switch (task.kind) {
    case 'import':
      return 'needs somebody: a new version is due, and is made elsewhere. Import it with `chancery import`'
    case 'provision':
      return task.isDue
        ? 'needs somebody: a rotation is due, and its catalogue has no generation to go on with. Apply Terraform with a new generation, then run `chancery rotate` again'
        : 'needs somebody: no generation stands by. Apply Terraform with a new one before the next rotation'
    case 'confirm':
      return `needs somebody: nobody has compared ${task.version} with what its registry shows. See \`chancery tasks\``
    case 'delete':
      if (task.next !== undefined) {
        return `needs somebody: two versions sign, and ${task.next} cannot before one of them is gone. When nobody uses ${task.version} any more, delete it where it was made, then say so with \`chancery confirm ${task.version} --deleted\``
      }
      return `needs somebody: ${task.version} signs no more. Delete it where it was made, then say so with \`chancery confirm ${task.version} --deleted\``
  }
}
