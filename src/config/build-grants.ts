import type { Key } from '../keys/key.ts'
import type { ClaimCheck, ClaimRule } from '../policy/claim-rules.ts'
import { type Grant, type Operation, operationsOf } from '../policy/grant.ts'
import { grantNeeds, resolveProfile } from '../policy/profiles.ts'
import type { Complaints, ConfigPath } from './complaints.ts'
import type { GrantEntry } from './schema.ts'

type Complain = (path: ConfigPath, message: string) => void

/** What a grant's entry is checked against. */
export type GrantSurroundings = {
  readonly knowsCaller: (name: string) => boolean
  /** What a caller's proof may say of it; undefined for a caller with complaints of its own. */
  readonly attributesOf: (name: string) => readonly string[] | undefined
  /** `damaged`: the key is there, but it has complaints of its own. */
  readonly keyNamed: (name: string) => Key | 'damaged' | undefined
  /** Whether the key's vault takes a digest alone; true while the vault has complaints of its own. */
  readonly signsDigests: (key: Key) => boolean
}

/** Checks one grant against its key and caller; undefined when it cannot be built. */
export function buildGrant(
  entry: GrantEntry,
  index: number,
  around: GrantSurroundings,
  complaints: Complaints,
): Grant | undefined {
  const complain: Complain = (path, message) => complaints.add(['grants', index, ...path], message)
  if (!around.knowsCaller(entry.caller)) complain(['caller'], 'no such caller: name one of callers')
  const key = around.keyNamed(entry.key)
  if (key === undefined) complain(['key'], 'no such key: name one of keys')
  if (key === undefined || key === 'damaged') return undefined
  checkOperations(entry, key, complain)
  checkDigests(entry, key, around, complain)
  checkRules(entry, key, complain)
  checkAttributes(entry, around, complain)
  return {
    name: `grants[${index}]`,
    caller: entry.caller,
    key,
    profile: key.profile && resolveProfile(key.profile),
    operations: entry.operations,
    lifetimeSecondsMax: entry.maxLifetime === undefined ? undefined : entry.maxLifetime / 1_000,
    noExpiry: entry.noExpiry ?? false,
    limitPerSecond: entry.limit,
    claims: [
      ...(key.profile ? resolveProfile(key.profile).claims : []),
      ...Object.entries(entry.claims ?? {}).map(claimRule),
    ],
  }
}

function checkOperations({ operations }: GrantEntry, key: Key, complain: Complain): void {
  const possible: readonly Operation[] = operationsOf[key.purpose]
  const impossible = operations.filter((operation) => !possible.includes(operation))
  if (impossible.length > 0) {
    const message = `a key of purpose ${key.purpose} has no ${impossible.join(', ')}`
    complain(['operations'], `${message}: it has ${possible.join(', ')}`)
  }
  if (new Set(operations).size < operations.length)
    complain(['operations'], 'an operation stands twice: keep one')
}

/** Some vaults hash for themselves, and some algorithms need the message: known before any request. */
function checkDigests(
  { operations }: GrantEntry,
  key: Key,
  { signsDigests }: GrantSurroundings,
  complain: Complain,
): void {
  if (key.purpose !== 'bytes' || !operations.includes('sign-digest') || signsDigests(key)) return
  const { name } = key.algorithm
  const message = `vault ${key.vault} signs no digests with ${name}: grant sign-message in its place`
  complain(['operations'], message)
}

function checkRules(entry: GrantEntry, { profile, purpose }: Key, complain: Complain): void {
  const signsJwt = entry.operations.some(
    (operation) => operation === 'sign-claims' || operation === 'sign-input',
  )
  if (purpose === 'bytes') {
    if (entry.maxLifetime !== undefined) {
      complain(['maxLifetime'], 'a key of purpose bytes has no lifetimes: remove it')
    }
    if (entry.noExpiry) complain(['noExpiry'], 'a key of purpose bytes has no lifetimes: remove it')
    if (entry.claims) complain(['claims'], 'a key of purpose bytes has no claims: remove them')
    return
  }
  if (!profile) return // which is a complaint of the key's own
  const needs = grantNeeds(profile.name)
  if (needs.maxLifetime && signsJwt && entry.maxLifetime === undefined) {
    complain(
      ['maxLifetime'],
      `profile ${profile.name} needs the longest lifetime that is granted, like 15m`,
    )
  }
  if (needs.noExpiry && entry.maxLifetime !== undefined) {
    complain(['maxLifetime'], `tokens of profile ${profile.name} have no times: remove it`)
  }
  if (!needs.noExpiry && entry.noExpiry) {
    complain(['noExpiry'], `tokens of profile ${profile.name} always expire: remove it`)
  }
  if (!entry.claims) return
  if (!needs.claims) {
    complain(['claims'], `with profile ${profile.name} a caller may add no claims: remove them`)
    return
  }
  const { reserved } = resolveProfile(profile)
  for (const name of Object.keys(entry.claims).filter((claim) => reserved.includes(claim))) {
    complain(['claims', name], `the service sets ${name} itself: remove the rule`)
  }
}

/** An attribute that a caller cannot have would refuse it for ever. */
function checkAttributes(
  { caller, claims }: GrantEntry,
  { attributesOf }: GrantSurroundings,
  complain: Complain,
): void {
  const known = attributesOf(caller)
  if (!known) return
  for (const [claim, { fromCaller }] of Object.entries(claims ?? {})) {
    if (fromCaller === undefined || known.includes(fromCaller)) continue
    const message = `${caller} has no attribute ${fromCaller}: it has ${known.join(', ')}`
    complain(['claims', claim, 'fromCaller'], message)
  }
}

function claimRule([claim, rule]: [string, NonNullable<GrantEntry['claims']>[string]]): ClaimRule {
  return { claim, optional: rule.optional, check: claimCheck(rule) }
}

function claimCheck(rule: NonNullable<GrantEntry['claims']>[string]): ClaimCheck {
  if (rule.oneOf) return { kind: 'oneOf', values: rule.oneOf }
  if (rule.prefix !== undefined) return { kind: 'prefix', prefix: rule.prefix }
  if (rule.text !== undefined) return { kind: 'text', charactersMax: rule.text }
  if (rule.fromCaller !== undefined) return { kind: 'fromCaller', attribute: rule.fromCaller }
  // The schema has counted: exactly one is there, so this one is.
  return { kind: 'const', value: rule.const ?? '' }
}

/** One caller, key and operation stands in at most one grant: no order decides which one counts. */
export function checkOverlaps(
  entries: readonly (GrantEntry | undefined)[],
  complaints: Complaints,
): void {
  const seen = new Map<string, number>()
  for (const [index, entry] of entries.entries()) {
    for (const operation of new Set(entry?.operations ?? [])) {
      const name = `${entry?.caller} ${entry?.key} ${operation}`
      const first = seen.get(name)
      if (first === undefined) seen.set(name, index)
      else
        complaints.add(['grants', index], `${operation} stands in grants[${first}] too: keep one`)
    }
  }
}
