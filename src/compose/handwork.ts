import type { Job } from '../cli/host.ts'
import type { Key } from '../keys/key.ts'
import { isSuspended, type Suspension, type SuspensionSubject } from '../keys/suspension.ts'
import { overlapEnd } from '../rotation/ending.ts'
import type { DecidedStep } from '../rotation/facts.ts'
import { type KeyVersion, parseVersionName, versionName } from '../keys/version.ts'
import { confirmDeleted, confirmFingerprint, type Confirmed } from '../service/confirm.ts'
import { tasksOfLeftKeys } from '../service/left-keys.ts'
import type { CommandDeps } from '../service/revoke.ts'
import {
  type HumanTask,
  type KeyState,
  orphanTasks,
  refusedWithdrawals,
  tasksOf,
} from '../service/tasks.ts'
import { openEntries } from '../store/journal.ts'
import { listKeyFacts } from '../store/keys.ts'
import { listOrphans } from '../store/orphans.ts'
import { askedRotation } from '../store/rotations.ts'
import { listSuspensions } from '../store/suspensions.ts'
import { findVersion, listVersions, listVersionsOf } from '../store/versions.ts'
import type { Importing } from './importing.ts'

type Parts = Importing & {
  readonly deps: CommandDeps
  /** What rotation would do next for a key whose registry no program can ask, but for putting away what has ended. */
  readonly plan: (key: Key) => Promise<DecidedStep>
}

/** What people do about keys that somebody else makes: each lets the key go on as far as it can. */
export function handworkOn(
  parts: Parts,
): Pick<Job, 'import' | 'confirmFingerprint' | 'confirmDeleted' | 'tasks'> {
  const { config, deps } = parts
  return {
    import: async (wish) => (await import('./importing.ts')).importInto(parts, wish),
    confirmFingerprint: async (word) =>
      goOn(parts, await confirmFingerprint(deps, config.keys, word)),
    confirmDeleted: async (word) => goOn(parts, await confirmDeleted(deps, config.keys, word)),
    tasks: () => listTasks(parts),
  }
}

async function goOn({ rotate, deps }: Parts, confirmed: Confirmed) {
  const { version, before, after } = confirmed
  const name = parseVersionName(version)
  if (before === after || before === 'orphan' || !name)
    return { ...confirmed, activationError: undefined, waitsFor: undefined }
  const { cameTo, error: activationError } = await rotate(name.key)
  const found = await findVersion(deps.store.connection, name.key, name.n)
  const state = found?.state ?? after
  const waitsFor = state === 'published' ? cameTo : undefined
  return { ...confirmed, after: state, activationError, waitsFor }
}

async function listTasks(parts: Parts): Promise<readonly HumanTask[]> {
  const { config, deps, plan } = parts
  const { connection } = deps.store
  const byHand = [...config.keys.values()].filter((key) => key.registry?.kind !== 'app')
  const tasks = byHand.map(async (key) => {
    const entries = await openEntries(connection, key.name)
    const versions = await listVersionsOf(connection, key.name)
    const step = await plan(key)
    return tasksOf({
      key,
      versions,
      openImports: entries.filter((entry) => entry.step === 'import'),
      isDue: step.kind === 'task' && step.task.kind === 'import',
      overlaps: await overlapsOf(parts, key.name, versions),
      switching: switchingOf(step, await listSuspensions(connection)),
    })
  })
  const withApi = [...config.keys.values()].filter((key) => key.registry?.kind === 'app')
  const refused = withApi.map(async (key) => {
    const versions = await listVersionsOf(connection, key.name)
    return refusedWithdrawals(key, versions, await openEntries(connection, key.name))
  })
  const [versions, stored] = [await listVersions(connection), await listKeyFacts(connection)]
  const left = tasksOfLeftKeys(versions, stored, config.keys)
  const orphans = orphanTasks(await listOrphans(connection))
  return [...(await Promise.all([...tasks, ...refused])).flat(), ...left, ...orphans]
}

async function overlapsOf(
  { config, deps }: Parts,
  key: string,
  versions: readonly KeyVersion[],
): Promise<KeyState['overlaps']> {
  const policy = config.rotations.get(key)
  if (!policy) return new Map()
  const asked = await askedRotation(deps.store.connection, key)
  const now = deps.clock.now()
  const retiring = versions.filter(({ state }) => state === 'retiring')
  const ends = retiring.map((one) => [one.n, overlapEnd(one, { policy, asked }, now)] as const)
  return new Map(ends.flatMap(([n, until]) => (until === undefined ? [] : [[n, until]])))
}

function switchingOf(step: DecidedStep, suspensions: readonly Suspension[]): KeyState['switching'] {
  if (step.kind === 'activate') {
    return { version: versionName(step.version.key, step.version.n), wait: undefined }
  }
  if (step.kind !== 'wait') return undefined
  const { wait } = step
  switch (wait.kind) {
    case 'proof':
    case 'propagation':
      return { version: wait.version, wait }
    case 'suspended': {
      const by = suspensions.filter((one) => stops(one, wait.version))
      return { version: wait.version, wait: { kind: 'suspended', by } }
    }
    default:
      return undefined
  }
}

/** Whether this flag, of several perhaps, keeps the version from signing. */
function stops({ kind, name }: SuspensionSubject, version: string): boolean {
  const { key, n } = parseVersionName(version) ?? {}
  if (key === undefined || n === undefined) return false
  const isIt = (subject: SuspensionSubject) => subject.kind === kind && subject.name === name
  return isSuspended(isIt, { caller: '', key, version: n })
}
