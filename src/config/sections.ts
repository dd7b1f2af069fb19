import { z } from 'zod'
import { type Key, keyName } from '../keys/key.ts'
import type { RotationPolicy } from '../keys/rotation-policy.ts'
import type { AlgorithmName } from '../signing/algorithms.ts'
import type { Grant } from '../policy/grant.ts'
import { buildGrant, checkOverlaps, type GrantSurroundings } from './build-grants.ts'
import { attributesOf, buildCaller, checkCallers } from './build-callers.ts'
import { buildKey } from './build-keys.ts'
import { buildRotations } from './build-rotations.ts'
import type { Complaints } from './complaints.ts'
import type { ConfiguredCaller, VaultRules } from './config.ts'
import { isRecord, type RawRecord } from './paths.ts'
import {
  callerEntry,
  callerName,
  grantEntry,
  keyEntry,
  plainSections,
  type RegistryEntry,
  registryEntry,
  rotationEntry,
} from './schema.ts'

/** Of these a configuration may have thousands of entries; the others stay as long as they are. */
export const entrySectionNames: readonly string[] = [
  'vaults',
  'registries',
  'keys',
  'callers',
  'grants',
]

/** The sections without entries; each is undefined after complaints of its own. */
export function readPlain(raw: RawRecord, complaints: Complaints) {
  const known = [...Object.keys(plainSections), ...entrySectionNames]
  for (const name of Object.keys(raw).filter((section) => !known.includes(section))) {
    complaints.add([name], 'unknown section: correct or remove it')
  }
  const { environment, allowSoftwareKeys, store, listen, audit, catalogues } = plainSections
  return {
    environment: complaints.parse(environment, raw['environment'], ['environment']),
    allowSoftwareKeys: complaints.parse(allowSoftwareKeys, raw['allowSoftwareKeys'], [
      'allowSoftwareKeys',
    ]),
    store: complaints.parse(store, raw['store'], ['store']),
    listen: complaints.parse(listen, raw['listen'], ['listen']),
    audit: complaints.parse(audit, raw['audit'], ['audit']),
    catalogues: complaints.parse(catalogues, raw['catalogues'], ['catalogues']),
  }
}

export function readVaults<V>(
  raw: RawRecord,
  rules: VaultRules<V>,
  allowSoftwareKeys: boolean,
  complaints: Complaints,
): ReadonlyMap<string, V> {
  const vaults = readEntries('vaults', raw, z.string(), rules.schema, complaints)
  for (const [name, vault] of vaults) {
    const remark = rules.remarkOn(vault)
    if (remark) complaints.warn(['vaults', name, remark.member], remark.message)
    if (allowSoftwareKeys || !rules.isSoftware(vault)) continue
    const message =
      'its keys are software keys: whoever has the files has them; set allowSoftwareKeys: true to accept that'
    complaints.add(['vaults', name, 'provider'], message)
  }
  return vaults
}

export function readRegistries(
  raw: RawRecord,
  complaints: Complaints,
): ReadonlyMap<string, RegistryEntry> {
  return readEntries('registries', raw, z.string(), registryEntry, complaints)
}

export function readKeys(
  raw: RawRecord,
  signsNot: (vault: string) => readonly AlgorithmName[],
  complaints: Complaints,
): ReadonlyMap<string, Key> {
  const entries = readEntries('keys', raw, keyName, keyEntry, complaints)
  return new Map(
    [...entries].flatMap(([name, entry]) => {
      const key = keyName.safeParse(name)
      const knows = (section: 'vaults' | 'registries', entryName: string) =>
        hasEntry(raw, section, entryName)
      return key.success ? [[name, buildKey(key.data, entry, { knows, signsNot }, complaints)]] : []
    }),
  )
}

const rotating = z.object({ rotation: rotationEntry })

/** After the grants, since no version may go before the last of the tokens that they allow. */
export function readRotations(
  raw: RawRecord,
  keys: ReadonlyMap<string, Key>,
  grants: readonly Grant[],
  complaints: Complaints,
): ReadonlyMap<string, RotationPolicy> {
  const entries = isRecord(raw['keys']) ? raw['keys'] : {}
  // What is wrong with it has been said where its key was read.
  const rotationOf = (name: string) => rotating.safeParse(entries[name]).data?.rotation
  return buildRotations(keys, rotationOf, grants, complaints)
}

export function readCallers(raw: RawRecord, complaints: Complaints): readonly ConfiguredCaller[] {
  const entries = readEntries('callers', raw, callerName, callerEntry, complaints)
  checkCallers(entries, complaints)
  return [...entries].map(([name, entry]) => buildCaller(name, entry))
}

/** Between whom and what grants stand. */
type Grantable = Pick<GrantSurroundings, 'signsDigests'> & {
  readonly keys: ReadonlyMap<string, Key>
  readonly callers: readonly ConfiguredCaller[]
}

export function readGrants(
  raw: RawRecord,
  { keys, callers, signsDigests }: Grantable,
  complaints: Complaints,
): readonly Grant[] {
  const list = complaints.parse(z.array(z.unknown()), raw['grants'] ?? [], ['grants']) ?? []
  const entries = list.map((entry, index) => complaints.parse(grantEntry, entry, ['grants', index]))
  checkOverlaps(entries, complaints)
  const surroundings: GrantSurroundings = {
    knowsCaller: (name) => hasEntry(raw, 'callers', name),
    attributesOf: (name) => {
      const caller = callers.find((configured) => configured.name === name)
      return caller && attributesOf(caller)
    },
    signsDigests,
    keyNamed: (name) => keys.get(name) ?? (hasEntry(raw, 'keys', name) ? 'damaged' : undefined),
  }
  return entries.flatMap((entry, index) => {
    const grant = entry && buildGrant(entry, index, surroundings, complaints)
    return grant ? [grant] : []
  })
}

/** The good entries of a section; the others have been complained about, one by one. */
function readEntries<T>(
  section: string,
  raw: RawRecord,
  nameSchema: z.ZodType<string>,
  schema: z.ZodType<T>,
  complaints: Complaints,
): ReadonlyMap<string, T> {
  const value = raw[section] ?? {}
  if (!isRecord(value)) {
    complaints.add([section], 'not a mapping: write NAME: { … }')
    return new Map()
  }
  return new Map(
    Object.entries(value).flatMap(([name, entry]) => {
      const good = complaints.parse(nameSchema, name, [section, name])
      const parsed = complaints.parse(schema, entry, [section, name])
      return good !== undefined && parsed !== undefined ? [[name, parsed]] : []
    }),
  )
}

/** Whether a name may stand in a section, damaged or not: a reference to it is then no second complaint. */
function hasEntry(raw: RawRecord, section: string, name: string): boolean {
  const entries = raw[section] ?? {}
  return !isRecord(entries) || Object.hasOwn(entries, name)
}
