import type { ErrorCode } from '../errors.ts'
import { fingerprints } from '../signing/fingerprint.ts'
import { publicKeyFromSpki } from '../signing/public-key.ts'
import type { Key } from '../keys/key.ts'
import { hasEnded } from '../keys/lifecycle.ts'
import type { SuspensionSubject } from '../keys/suspension.ts'
import { type KeyVersion, type VersionName, versionName } from '../keys/version.ts'
import { instant } from '../lib/clock.ts'
import { registryFacts } from '../registry/registry.ts'
import type { OpenEntry } from '../store/journal.ts'
import type { Orphan } from '../store/orphans.ts'

/** Something that a human must do, and its exact steps. */
export type HumanTask = {
  readonly key: string
  /** `key@n`; none of a version that is still to be made. */
  readonly version: string | undefined
  readonly kind: 'import' | 'go on' | 'confirm' | 'switch' | 'delete' | 'withdraw' | 'orphan'
  readonly why: string
  readonly steps: readonly string[]
  /** Of the dashboard; none where the configuration knows none. */
  readonly url: string | undefined
  /** What the dashboard shows of the key, in the format that it uses. */
  readonly shows: { readonly name: string; readonly value: string } | undefined
}

export type KeyState = {
  readonly key: Key
  /** Of this key, oldest first. */
  readonly versions: readonly KeyVersion[]
  /** Imports whose end is not known: the number that each reserved, and its tag in the vault. */
  readonly openImports: readonly { readonly n: number; readonly id: string }[]
  /** The version that signs has had its time. */
  readonly isDue: boolean
  /** By version that signs no more: its tokens may be in use until then, epoch milliseconds. */
  readonly overlaps: ReadonlyMap<number, number>
  readonly switching: Switching | undefined
}

/** The version, `key@n`, that the next `rotate` lets sign, and what that still waits for. */
export type Switching = {
  readonly version: string
  readonly wait:
    | undefined
    | { readonly kind: 'proof'; readonly processes: readonly string[] }
    /** Each flag has to go: they are independent. */
    | { readonly kind: 'suspended'; readonly by: readonly SuspensionSubject[] }
    /** Verifiers may not see it before that. */
    | { readonly kind: 'propagation'; readonly until: number }
}

/** What waits for a human at the registries that no program can ask, and at portals; pure. */
export function tasksOf(state: KeyState): readonly HumanTask[] {
  const { key, versions, openImports, isDue, switching } = state
  if (key.source !== 'imported') return []
  const interrupted = openImports.map((open) => goOn(key, open))
  const isMissing = versions.every((version) => hasEnded(version.state))
  const next = interrupted.length === 0 && (isMissing || isDue) ? [nextImport(key, isMissing)] : []
  const switches = switching ? [switchTo(key, switching)] : []
  const others = versions.flatMap((one) => taskOf(one, state) ?? [])
  return [...interrupted, ...next, ...switches, ...others]
}

/** What a registry answers when asking it again will not help. */
const refusals: ReadonlySet<ErrorCode> = new Set(['registry_refused', 'registry_denied'])

/** Versions that a registry with an API does not let go of, or not to us; pure. */
export function refusedWithdrawals(
  { name, registry }: Key,
  versions: readonly KeyVersion[],
  open: readonly OpenEntry[],
): readonly HumanTask[] {
  if (registry?.kind !== 'app') return []
  const refused = open.filter(
    ({ step, failure }) => step === 'withdraw' && failure !== undefined && refusals.has(failure),
  )
  return refused.flatMap(({ n, failure }) => {
    const version = versions.find((one) => one.n === n)
    if (!version) return []
    const place = `the app ${registry.app} of the registry ${registry.registry}`
    const why =
      failure === 'registry_denied'
        ? 'the registry does not accept our token, and verifiers trust it as long as it is listed'
        : 'the registry does not let go of it, and verifiers trust it as long as it is listed'
    const steps = [
      `Delete the key with the id ${version.kid} from ${place}, as its administrator`,
      ...(failure === 'registry_denied' ? ['Put a token that may write into tokenFile'] : []),
      `chancery rotate ${name}`,
    ]
    const at = { url: undefined, shows: undefined }
    return [{ key: name, version: nameOf(version), kind: 'withdraw', why, steps, ...at } as const]
  })
}

/** Keys in a vault that are no version: nobody but a human deletes a key. */
export function orphanTasks(orphans: readonly Orphan[]): readonly HumanTask[] {
  return orphans.map((orphan) => {
    const version = nameOf(orphan)
    const steps = [
      `Look in its vault at ${orphan.resource}, which has the tag chancery:intent=${orphan.intent}`,
      'Delete it there, when nobody uses it',
      `chancery confirm ${version} --deleted`,
    ]
    const why = 'an interrupted run has left it in the vault, and it is no version'
    const at = { url: undefined, shows: undefined }
    return { key: orphan.key, version, kind: 'orphan', why, steps, ...at } as const
  })
}

function taskOf(version: KeyVersion, all: KeyState): HumanTask | undefined {
  const { key, versions } = all
  const isManual = key.registry?.kind === 'manual'
  if (key.registry && !isManual) return undefined // `chancery rotate` sees to it
  if (version.state === 'created' && isManual) return confirmation(key, version)
  const isLeft = version.state === 'retiring' || version.state === 'revoked'
  // The portal has put another secret behind the same key id: there is nothing to delete.
  const isReplaced = versions.some((other) => other.kid === version.kid && !hasEnded(other.state))
  if (isLeft && version.withdrawnAt === undefined && !(isReplaced && hasEnded(version.state))) {
    return deletion(all, version)
  }
  const active = versions.filter(({ state }) => state === 'active')
  return active.length > 1 && active[0] === version ? deletion(all, version) : undefined
}

function nextImport(key: Key, isMissing: boolean): HumanTask {
  const { name, registry, algorithm } = key
  const url = urlOf(key)
  const file = algorithm.kty === 'oct' ? '--secret FILE' : '--pem FILE'
  const id = key.profile?.name === 'api-key-token' ? ' --key-id ID' : ''
  const expect = registry?.kind === 'manual' ? ` --expect ${registry.system}=…` : ''
  const steps = [
    url === undefined ? 'Have its maker make a key' : `Open ${url} and have it make a private key`,
    'Download it: it is shown once. `chmod 600` the file',
    `chancery import ${name} ${file}${id}${expect} --delete-source`,
  ]
  const why = isMissing
    ? 'it has no version, and somebody else makes them'
    : 'the version that signs has had its time, and somebody else makes the next one'
  return { key: name, version: undefined, kind: 'import', why, steps, url, shows: undefined }
}

function goOn({ name }: Key, { n, id }: KeyState['openImports'][number]): HumanTask {
  return {
    key: name,
    version: versionName(name, n),
    kind: 'go on',
    why: `its import was interrupted; the vault may hold it with the tag chancery:intent=${id}`,
    steps: ['Run the same `chancery import` again, with the same file'],
    url: undefined,
    shows: undefined,
  }
}

/** A timer may run `rotate`; nobody who imports by hand needs one. */
function switchTo({ name }: Key, switching: Switching): HumanTask {
  const at = { url: undefined, shows: undefined }
  return {
    key: name,
    version: switching.version,
    kind: 'switch',
    ...waitOf(name, switching),
    ...at,
  }
}

function waitOf(name: string, { version, wait }: Switching): Pick<HumanTask, 'why' | 'steps'> {
  const rotate = `chancery rotate ${name}`
  switch (wait?.kind) {
    case undefined:
      return { why: 'it can sign, and does not yet', steps: [rotate] }
    case 'proof': {
      const why = `it does not sign yet: it is not proved by ${wait.processes.join(', ')}`
      const steps = [
        'Wait a few seconds: each process that serves proves by itself that it can use it',
        rotate,
        `If it still waits: restart a process that has not read this configuration; the log of any other says why, under ${version}`,
      ]
      return { why, steps }
    }
    case 'suspended': {
      const flags = wait.by.map(subjectWords)
      const why = `it does not sign yet: it waits while this is suspended: ${flags.join(', ')}`
      const resume = flags.map((flag) => `chancery resume ${flag} --reason 'it may sign'`)
      const revoke = `If it must never sign: chancery revoke ${version} --reason 'why'`
      return { why, steps: [...resume, rotate, revoke] }
    }
    case 'propagation': {
      const why = 'it does not sign yet: verifiers may not see it'
      return { why, steps: [`Wait until ${instant(wait.until)}`, rotate] }
    }
  }
}

function subjectWords({ kind, name }: SuspensionSubject): string {
  return kind === 'everything' ? kind : `${kind} ${name}`
}

function confirmation(key: Key, version: KeyVersion): HumanTask {
  const shows = shownFor(key, version)
  const name = nameOf(version)
  const steps = [
    `Open ${urlOf(key)}`,
    `Look for the key with the ${shows?.name} fingerprint ${shows?.value}`,
    `chancery confirm ${name} --fingerprint ${shows?.name}=${shows?.value}`,
    `If it is not there: chancery revoke ${name} --reason 'not the registered key'`,
  ]
  const why = 'nobody has compared it with what its registry shows, and it does not sign until then'
  return { key: key.name, version: name, kind: 'confirm', why, steps, url: urlOf(key), shows }
}

function deletion({ key, overlaps }: KeyState, version: KeyVersion): HumanTask {
  const shows = shownFor(key, version)
  const url = urlOf(key)
  const name = nameOf(version)
  const what = shows
    ? `the key with the ${shows.name} fingerprint ${shows.value}`
    : `the key with the id ${version.kid}`
  const early = overlaps.get(version.n)
  const steps = [
    ...(early === undefined ? [] : [`Wait until ${instant(early)}: its tokens may be in use`]),
    url === undefined ? 'Open the portal that made it' : `Open ${url}`,
    `Delete ${what}${keepsLast(key) ? ' (its last key cannot be deleted)' : ''}`,
    `chancery confirm ${name} --deleted`,
  ]
  const why =
    version.state === 'active'
      ? 'a newer version signs, too: when nobody uses this one any more, it can go'
      : `it is ${version.state}, and verifiers trust it until it is deleted there`
  return { key: key.name, version: name, kind: 'delete', why, steps, url, shows }
}

function shownFor({ registry }: Key, { spki }: KeyVersion): HumanTask['shows'] {
  if (registry?.kind !== 'manual' || !spki) return undefined
  const { system } = registry
  return { name: system, value: fingerprints(publicKeyFromSpki(spki))[system] }
}

function keepsLast({ registry }: Key): boolean {
  return registry?.kind === 'manual' && registryFacts[registry.system].keysMin > 0
}

function urlOf({ registry }: Key): string | undefined {
  return registry?.kind === 'manual' ? registry.url : undefined
}

function nameOf({ key, n }: VersionName): string {
  return versionName(key, n)
}
