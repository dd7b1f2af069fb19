import { decodeHex } from '../lib/bytes.ts'
import type { Complaints } from './complaints.ts'
import type { ConfiguredCaller, OidcSettings } from './config.ts'
import type { CallerEntry } from './schema.ts'

type Entries = ReadonlyMap<string, CallerEntry>

export function buildCaller(
  name: string,
  { apiKeys, oidc, certificate }: CallerEntry,
): ConfiguredCaller {
  return {
    name,
    apiKeys: (apiKeys ?? []).map(({ id, sha256 }) => ({ id, sha256: decodeHex(sha256) })),
    oidc: oidc && oidcSettings(oidc),
    certificateUri: certificate?.uri,
  }
}

function oidcSettings(entry: NonNullable<CallerEntry['oidc']>): OidcSettings {
  const { issuer, audience, match, algorithms, maxTokenLifetime } = entry
  const lifetimeSecondsMax = maxTokenLifetime / 1_000
  return { issuer, audience, match, algorithms, lifetimeSecondsMax, keys: keySource(entry) }
}

function keySource({ jwksUri, jwksFile }: NonNullable<CallerEntry['oidc']>): OidcSettings['keys'] {
  if (jwksUri !== undefined) return { kind: 'uri', uri: jwksUri }
  return jwksFile === undefined ? { kind: 'discovery' } : { kind: 'file', file: jwksFile }
}

/** What its proofs may say of a caller. */
export function attributesOf({ oidc, certificateUri }: ConfiguredCaller): readonly string[] {
  const matched = Object.keys(oidc?.match ?? {})
  return ['name', ...(certificateUri === undefined ? [] : ['uri']), ...matched]
}

/** Nothing that one caller proves itself with may prove another. */
export function checkCallers(entries: Entries, complaints: Complaints): void {
  checkUnique(apiKeyIds(entries), complaints)
  checkUnique(certificateUris(entries), complaints)
  checkIssuers(entries, complaints)
  warnOfTwins(entries, complaints)
}

type Place = {
  readonly value: string
  readonly caller: string
  readonly path: readonly (string | number)[]
}

function apiKeyIds(entries: Entries): readonly Place[] {
  return [...entries].flatMap(([caller, { apiKeys = [] }]) =>
    apiKeys.map(({ id }, index) => ({
      value: id,
      caller,
      path: ['callers', caller, 'apiKeys', index, 'id'],
    })),
  )
}

function certificateUris(entries: Entries): readonly Place[] {
  return [...entries].flatMap(([caller, { certificate }]) =>
    certificate
      ? [{ value: certificate.uri, caller, path: ['callers', caller, 'certificate', 'uri'] }]
      : [],
  )
}

function checkUnique(places: readonly Place[], complaints: Complaints): void {
  const seen = new Map<string, string>()
  for (const { value, caller, path } of places) {
    const other = seen.get(value)
    if (other !== undefined) complaints.add(path, `${value} stands at ${other} too: keep one`)
    seen.set(value, caller)
  }
}

/** One issuer has its keys in one place, for all of its callers. */
function checkIssuers(entries: Entries, complaints: Complaints): void {
  const first = new Map<string, { readonly caller: string; readonly source: string }>()
  for (const [caller, { oidc }] of entries) {
    if (!oidc) continue
    const source = JSON.stringify(keySource(oidc))
    const known = first.get(oidc.issuer)
    if (known && known.source !== source) {
      const message = `${known.caller} has the same issuer with its keys elsewhere: give both the same jwksUri or jwksFile`
      complaints.add(['callers', caller, 'oidc', 'issuer'], message)
    }
    first.set(oidc.issuer, known ?? { caller, source })
  }
}

/** A token that two callers match is refused: one whose claims include another's is never let in. */
function warnOfTwins(entries: Entries, complaints: Complaints): void {
  const all = [...entries].flatMap(([name, { oidc }]) => (oidc ? [{ name, oidc }] : []))
  for (const { name, oidc } of all) {
    const twin = all.find((other) => other.name !== name && includesTokensOf(other.oidc, oidc))
    if (!twin) continue
    const message = `every token of ${name} matches ${twin.name} too, so none is accepted: match a claim that only one of them has`
    complaints.warn(['callers', name, 'oidc', 'match'], message)
  }
}

type OidcEntry = NonNullable<CallerEntry['oidc']>

function includesTokensOf(wide: OidcEntry, narrow: OidcEntry): boolean {
  return (
    wide.issuer === narrow.issuer &&
    wide.audience === narrow.audience &&
    narrow.algorithms.every((name) => wide.algorithms.includes(name)) &&
    wide.maxTokenLifetime >= narrow.maxTokenLifetime &&
    Object.entries(wide.match).every(
      ([claim, value]) => Object.hasOwn(narrow.match, claim) && narrow.match[claim] === value,
    )
  )
}
