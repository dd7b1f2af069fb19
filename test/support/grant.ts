import { type Key, keyName, type ProfileName, type ProfileSettings } from '../../src/keys/key.ts'
import type { ClaimRule } from '../../src/policy/claim-rules.ts'
import type { Grant } from '../../src/policy/grant.ts'
import type { JwtContext } from '../../src/policy/jwt.ts'
import { type Profile, resolveProfile } from '../../src/policy/profiles.ts'
import { algorithm } from '../../src/signing/algorithms.ts'

/** One key's settings for each profile, with values that no test needs to know. */
export const profileSettings: { readonly [N in ProfileName]: ProfileSettings & { name: N } } = {
  'github-app': { name: 'github-app', issuer: 'Iv23li' },
  'icr-app': { name: 'icr-app', issuer: 'icr-42' },
  'contentful-app': { name: 'contentful-app', issuer: '4XyZ' },
  'client-assertion': { name: 'client-assertion', clientId: 'client-1', audience: 'https://as' },
  'generic-jwt': { name: 'generic-jwt', issuer: 'https://acme.example' },
  'api-key-token': { name: 'api-key-token' },
}

export const profileNames: readonly ProfileName[] = [
  'github-app',
  'icr-app',
  'contentful-app',
  'client-assertion',
  'generic-jwt',
  'api-key-token',
]

/** All but the one whose tokens say nothing of time. */
export const expiringProfileNames = profileNames.filter((name) => name !== 'api-key-token')

export function keyOf(name: string, part: Partial<Key> = {}): Key {
  return {
    name: keyName.parse(name),
    vault: 'local',
    algorithm: algorithm('ES256'),
    modulusBits: undefined,
    purpose: part.profile ? 'jwt' : 'bytes',
    profile: undefined,
    registry: undefined,
    source: 'generated',
    methods: [],
    ...part,
  }
}

export function grantOn(key: Key, part: Partial<Grant> = {}): Grant {
  return {
    name: 'grants[0]',
    caller: 'blog-backend',
    key,
    profile: key.profile && resolveProfile(key.profile),
    operations: [],
    lifetimeSecondsMax: undefined,
    noExpiry: false,
    limitPerSecond: undefined,
    claims: key.profile ? resolveProfile(key.profile).claims : [],
    ...part,
  }
}

export type JwtSetting = {
  readonly profile: ProfileName
  readonly lifetimeSecondsMax?: number | undefined
  readonly claims?: readonly ClaimRule[]
  readonly caller?: Readonly<Record<string, string>>
  readonly nowMs?: number
  readonly noExpiry?: boolean
  /** Names of versions. */
  readonly versions?: readonly string[]
}

/** What `composeClaims` and `checkClaims` look at, at the instant 1,800,000,000.5 s unless told. */
export function jwtContext(setting: JwtSetting): JwtContext & { readonly profile: Profile } {
  const settings = profileSettings[setting.profile]
  const needsLifetime = setting.profile === 'generic-jwt'
  const grant = grantOn(keyOf('reports', { profile: settings }), {
    lifetimeSecondsMax: setting.lifetimeSecondsMax ?? (needsLifetime ? 900 : undefined),
    noExpiry: setting.noExpiry ?? false,
    claims: [...resolveProfile(settings).claims, ...(setting.claims ?? [])],
  })
  return {
    profile: resolveProfile(settings),
    grant,
    isVersion: (name) => typeof name === 'string' && (setting.versions ?? []).includes(name),
    caller: setting.caller ?? {},
    nowMs: setting.nowMs ?? 1_800_000_000_500,
  }
}
