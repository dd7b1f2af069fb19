import { ServiceError } from '../errors.ts'
import { instant } from '../lib/clock.ts'
import type { KeyListing, VersionListing } from '../service/list-keys.ts'
import type { Context } from './context.ts'
import { problemOf } from './failure.ts'
import type { SyncedKey } from './host.ts'
import { leftBehindDocument, leftBehindLines } from './left-behind.ts'
import { driftDocument, driftLines } from './sync.ts'

export async function listKeys({ host, output, configFile }: Context): Promise<void> {
  await using job = await host.openJob(configFile, 'keys')
  const keys = await job.listKeys()
  const lines = keys.flatMap((key) => [
    headline(key),
    ...key.versions.map((version) => `  ${line(version)}`),
  ])
  output.result(lines.length > 0 ? lines : ['no keys are configured'], { keys: keys.map(document) })
}

export type ShownForms = {
  readonly jwk?: boolean
  readonly pem?: boolean
  readonly terraform?: boolean
}

export async function showKey(
  { host, output, configFile }: Context,
  name: string,
  forms: ShownForms,
): Promise<void> {
  await using job = await host.openJob(configFile, 'keys')
  if (forms.jwk) return output.text(JSON.stringify((await job.publicForms(name)).jwk))
  if (forms.pem) {
    const { pem } = await job.publicForms(name)
    return output.result([pem.trimEnd()], { pem })
  }
  if (forms.terraform) {
    const terraform = await job.terraform(name)
    return output.result([terraform.trimEnd()], { terraform })
  }
  const key = (await job.listKeys()).find((listing) => listing.key === name)
  if (!key) throw new ServiceError('refused', `There is no key ${name}: see \`chancery keys list\``)
  const [[synced], failures] = key.configured
    ? await Promise.all([job.sync(name), job.vaultFailures(name)])
    : [[], []]
  const vaultFailures = failures.map(problemOf)
  const orphans = await job.orphans(name)
  const lines = [
    headline(key),
    ...key.versions.flatMap(details),
    ...leftBehindLines(orphans).map((words) => `  ${words}`),
    ...vaultFailures.map(({ message }) => `  vault: ${message}`),
    ...registryLines(synced),
  ]
  output.result(lines, {
    ...document(key),
    orphans: leftBehindDocument(orphans),
    vaultFailures,
    registry: registryDocument(synced),
  })
}

/** A registry that cannot be asked is no reason to show nothing. */
function registryLines(synced: SyncedKey | undefined): readonly string[] {
  if (!synced) return []
  const { key, drift, error } = synced
  if (error !== undefined) return [`  registry: ${problemOf(error).message}`]
  if (drift?.verdict !== 'known') return ['  registry: unknown, since it is looked after by hand']
  const used = drift.used.map(({ name, lastUsedAt }) => `${name} last used ${instant(lastUsedAt)}`)
  return [...driftLines(key, drift), ...used].map((words) => `  registry: ${words}`)
}

/** What is not known looks like neither a registry without drift nor like none. */
function registryDocument(synced: SyncedKey | undefined): object | null {
  if (synced?.error === undefined) return synced?.drift ? driftDocument(synced.drift) : null
  return { verdict: 'failed', ...problemOf(synced.error) }
}

function headline(listing: KeyListing): string {
  const { key, alg, vault, purpose, profile, methods, configured, versions } = listing
  const facts = [
    alg,
    profile ?? purpose,
    vault && `in ${vault}`,
    methods.length > 0 ? `for ${methods.join(' and ')}` : undefined,
  ].filter((fact) => fact !== undefined)
  const notes = [
    configured ? '' : 'not in the configuration: answers 404',
    versions.length > 0 ? '' : missingVersion(listing),
  ].filter((note) => note !== '')
  return [`${key}  ${facts.join(', ')}`, ...notes].join('  ')
}

function missingVersion({ source }: KeyListing): string {
  return source === 'imported' ? 'no version: it is imported' : 'no version: run `chancery rotate`'
}

function line(version: VersionListing): string {
  const { version: name, state, suspended, custody, kid, createdAt, activatedAt, pending } = version
  const flag = suspended ? ' (suspended)' : ''
  const facts = [
    `${name}  ${state}${flag}`,
    custody,
    `created ${instant(createdAt)}`,
    ...(state === 'active' && activatedAt !== undefined
      ? [`signs since ${instant(activatedAt)}`]
      : []),
    `kid ${kid}`,
    ...pending.map(({ step, failure }) => `pending: ${step}${failure ? ` (${failure})` : ''}`),
  ]
  return facts.join('  ')
}

function details(version: VersionListing): readonly string[] {
  const names = Object.entries(version.fingerprints)
  const { source, madeBy } = version
  const made = `    ${madeVerbs[source]} by ${madeBy}`
  return [
    `  ${line(version)}`,
    made,
    ...names.map(([name, value]) => `    ${name.padEnd(16)} ${value}`),
  ]
}

const madeVerbs = { generated: 'made', provisioned: 'adopted', imported: 'imported' } as const

/** Instants as people and other programs read them. */
function document({ versions, ...key }: KeyListing): object {
  const time = (at: number | undefined) => (at === undefined ? null : instant(at))
  return {
    ...key,
    versions: versions.map((version) => ({
      ...version,
      createdAt: time(version.createdAt),
      activatedAt: time(version.activatedAt),
      endedAt: time(version.endedAt),
      pending: version.pending.map(({ step, failure }) => ({ step, failure: failure ?? null })),
    })),
  }
}
