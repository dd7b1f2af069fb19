import { resolve } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { resolveProfile } from '../../src/policy/profiles.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import { meantCaller } from '../support/any-callers.ts'
import {
  anyDraft,
  type Draft,
  type GrantDraft,
  type KeyDraft,
  type ListenDraft,
  written,
  writtenVault,
} from '../support/any-config.ts'
import { complaintsOf, loadText } from '../support/config-text.ts'

/** The ways in which one thing can be written in YAML. */
const styles = [
  { collectionStyle: 'block' },
  { collectionStyle: 'flow', lineWidth: 0 },
  { collectionStyle: 'any', defaultStringType: 'QUOTE_DOUBLE', indent: 4 },
  { collectionStyle: 'block', defaultStringType: 'QUOTE_SINGLE', lineWidth: 40 },
] as const

const anyStyle = fc.constantFrom(...styles)

test('whatever a configuration says is read as it was meant', () => {
  fc.assert(
    fc.property(anyDraft, anyStyle, (draft, style) => {
      const { config, directory } = loadText(stringify(written(draft), style))
      expect(config).toEqual(meant(draft, directory))
    }),
    { numRuns: 100 },
  )
})

test('an unknown member, wherever it stands, is refused with its path', () => {
  fc.assert(
    fc.property(anyDraft, fc.nat(), (draft, chosen) => {
      const raw = written(draft)
      const places = strictPlaces(raw)
      const { path, object } = places[chosen % places.length] ?? { path: '', object: raw }
      Object.assign(object, { 'not-there': 1 })
      const told = complaintsOf(stringify(raw))
      expect(told).toContainEqual({
        path: path === '' ? 'not-there' : `${path}.not-there`,
        message: expect.stringMatching(/^unknown (?:member|section): correct or remove it /),
      })
    }),
    { numRuns: 100 },
  )
})

/** What the draft says, worked out without the code that is tested. */
function meant({ environment, sqlite, digestKeyFile, listen, ...named }: Draft, directory: string) {
  const at = (path: string) => resolve(directory, path)
  const keys = new Map(named.keys.map((draft) => [draft.name, meantKey(draft)]))
  return {
    file: at('chancery.yaml'),
    environment,
    store: { sqlite: at(sqlite) },
    listen: meantListen(listen, at),
    audit: { digestKeyFile: at(digestKeyFile) },
    vaults: new Map(
      named.vaults.map((vault) => [
        vault,
        { ...writtenVault(vault), directory: at(`vaults/${vault}`) },
      ]),
    ),
    catalogues: [],
    registries: new Map(),
    keys,
    rotations: new Map(
      named.keys.map((key) => [key.name, meantRotation(key, named.grants)] as const),
    ),
    callers: named.callers.map((caller) => meantCaller(caller, at)),
    grants: named.grants.map((draft, i) => meantGrant(draft, i, keys)),
    warnings: expect.any(Array),
  }
}

function meantListen(listen: ListenDraft | undefined, at: (path: string) => string) {
  const files = Object.entries(listen?.tls ?? {})
  return {
    sign: {
      address: { host: listen?.signHost ?? '127.0.0.1', port: listen?.signPort ?? 8480 },
      behindProxy: listen?.behindProxy ?? false,
      tls: listen?.tls && Object.fromEntries(files.map(([name, file]) => [name, at(file)])),
    },
    ops: { address: { host: '127.0.0.1', port: listen?.opsPort ?? 8481 } },
    drainDelayMs: listen?.drainDelay.value ?? 5_000,
  }
}

function meantKey({ name, vault, alg, modulusBits, profile, methods = [] }: KeyDraft) {
  return {
    name,
    vault,
    algorithm: algorithm(alg),
    modulusBits: /^[RP]S/.test(alg) ? (modulusBits ?? 3072) : undefined,
    purpose: profile ? 'jwt' : 'bytes',
    profile,
    registry: undefined,
    source: profile?.name === 'api-key-token' ? 'imported' : 'generated',
    methods,
  }
}

/** Nobody has to be told of these keys: nothing stands by, and nothing is waited for, unless asked. */
function meantRotation({ name, profile, rotation }: KeyDraft, grants: readonly GrantDraft[]) {
  const own = { 'github-app': 600, 'icr-app': 600, 'contentful-app': 600, 'client-assertion': 300 }
  const lifetimes = grants
    .filter(
      ({ key, operations }) => key === name && operations.some((one) => /^sign-(?:c|i)/.test(one)),
    )
    .map(({ maxLifetime }) => maxLifetime?.value ?? Infinity)
    .map((ms) =>
      Math.min(
        ms,
        1_000 * (Object.entries(own).find(([n]) => n === profile?.name)?.[1] ?? Infinity),
      ),
    )
  const expires = profile && profile.name !== 'api-key-token'
  const longestMs = expires ? Math.max(0, ...lifetimes) : 0
  return {
    everyMs: rotation?.every?.value,
    overlapMs: Math.max(7 * 86_400_000, longestMs + 120_000),
    standby: rotation?.standby ?? 0,
    propagationMs: rotation?.propagation?.value ?? 0,
  }
}

function meantGrant(
  { caller, key, operations, maxLifetime, noExpiry, limit, claims = [] }: GrantDraft,
  index: number,
  keys: ReadonlyMap<string, ReturnType<typeof meantKey>>,
) {
  const profile = keys.get(key)?.profile
  return {
    name: `grants[${index}]`,
    caller,
    key: keys.get(key),
    profile: profile && resolveProfile(profile),
    operations,
    lifetimeSecondsMax: maxLifetime && maxLifetime.value / 1_000,
    noExpiry: noExpiry === true,
    limitPerSecond: limit?.value,
    claims: profile ? [...resolveProfile(profile).claims, ...claims] : claims,
  }
}

type Place = { readonly path: string; readonly object: object }

/** Objects whose names are the user's own; everywhere else a name is known or wrong. */
const named = /^(?:vaults|keys|callers|callers\.[^.]+\.oidc\.match|grants\[\d+\]\.claims)$/

function strictPlaces(value: unknown, path = ''): readonly Place[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => strictPlaces(item, `${path}[${i}]`))
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.entries(value).flatMap(([name, item]) =>
    strictPlaces(item, path === '' ? name : `${path}.${name}`),
  )
  return named.test(path) ? inner : [{ path, object: value }, ...inner]
}
