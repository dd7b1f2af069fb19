import type { ProfileName, ProfileSettings } from '../keys/key.ts'
import type { ClaimRule } from './claim-rules.ts'

/** One registry's rules for a JWT. Times are JWT seconds here, and only here and in `jwt.ts`. */
export type Profile = {
  readonly kidInHeader: boolean
  /** Claims with a fixed value from the key's configuration. */
  readonly fixed: Readonly<Record<string, string>>
  readonly jti: boolean
  /** What the service sets: a caller's own are refused. */
  readonly reserved: readonly string[]
  readonly lifetimeSecondsMax: number
  /** `iat` is now less this: a registry that refuses the future must not see our clock's drift. */
  readonly iatBackdatedSeconds: number
  readonly callerMaySendIat: boolean
  /** Only a grant's claim rules can let anything else in. */
  readonly grantListsClaims: boolean
  /** False: the token has no times at all, and each grant has to accept that. */
  readonly expires: boolean
  /** The claim that names the version that signs; more than one may then be active. */
  readonly versionClaim: string | undefined
  /** The header has all its members, not just no others. */
  readonly headerIsExact: boolean
  /** Of every grant on it, before the grant's own. */
  readonly claims: readonly ClaimRule[]
}

type ProfileRow = Omit<Profile, 'fixed' | 'reserved'>

/** A caller's or a signing input's own `iat` must be this close to our clock. */
export const iatSkewSecondsMax = 65

/** Where the profile has no longest lifetime of its own, the grant says one. */
const lifetimeByGrant = Number.MAX_SAFE_INTEGER

const expiring = {
  expires: true,
  versionClaim: undefined,
  headerIsExact: false,
  claims: [],
} as const

const app = {
  ...expiring,
  jti: false,
  lifetimeSecondsMax: 600,
  grantListsClaims: false,
} as const

/** Longer than any device's fingerprint; it is no digest of a key. */
const fingerprintCharactersMax = 512

/**
 * DESIGN §4, from: github-app
 * https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
 * contentful-app https://www.contentful.com/developers/docs/extensibility/app-framework/app-keys/
 * client-assertion https://www.rfc-editor.org/rfc/rfc7523#section-3
 */
const profiles: { readonly [N in ProfileName]: ProfileRow } = {
  'github-app': { ...app, kidInHeader: false, iatBackdatedSeconds: 60, callerMaySendIat: true },
  'icr-app': { ...app, kidInHeader: false, iatBackdatedSeconds: 60, callerMaySendIat: true },
  'contentful-app': { ...app, kidInHeader: true, iatBackdatedSeconds: 0, callerMaySendIat: false },
  'client-assertion': {
    ...expiring,
    kidInHeader: true,
    jti: true,
    lifetimeSecondsMax: 300,
    iatBackdatedSeconds: 0,
    callerMaySendIat: false,
    grantListsClaims: false,
  },
  'generic-jwt': {
    ...expiring,
    kidInHeader: true,
    jti: true,
    lifetimeSecondsMax: lifetimeByGrant,
    iatBackdatedSeconds: 0,
    callerMaySendIat: false,
    grantListsClaims: true,
  },
  'api-key-token': {
    kidInHeader: false,
    jti: false,
    lifetimeSecondsMax: 0,
    iatBackdatedSeconds: 0,
    callerMaySendIat: false,
    grantListsClaims: false,
    expires: false,
    versionClaim: 'key_id',
    headerIsExact: true,
    claims: [
      {
        claim: 'fingerprint',
        optional: false,
        check: { kind: 'text', charactersMax: fingerprintCharactersMax },
      },
    ],
  },
}

/** The table's row, filled in by the key: resolved once, when the configuration is read. */
export function resolveProfile(settings: ProfileSettings): Profile {
  const row = profiles[settings.name]
  const fixed = fixedClaims(settings)
  return { ...row, fixed, reserved: [...Object.keys(fixed), ...ownClaims(row)] }
}

function ownClaims({ jti, expires, versionClaim }: ProfileRow): readonly string[] {
  return [
    ...(jti ? ['jti'] : []),
    ...(expires ? ['iat', 'exp'] : []),
    ...(versionClaim === undefined ? [] : [versionClaim]),
  ]
}

function fixedClaims(settings: ProfileSettings): Readonly<Record<string, string>> {
  switch (settings.name) {
    case 'api-key-token':
      return {}
    case 'client-assertion':
      return { iss: settings.clientId, sub: settings.clientId, aud: settings.audience }
    default:
      return { iss: settings.issuer }
  }
}

/** Whether a grant on this profile must, and may, say something. */
export function grantNeeds(name: ProfileName): {
  readonly maxLifetime: boolean
  readonly claims: boolean
  readonly noExpiry: boolean
} {
  const { lifetimeSecondsMax, grantListsClaims, expires } = profiles[name]
  return {
    maxLifetime: lifetimeSecondsMax === lifetimeByGrant,
    claims: grantListsClaims,
    noExpiry: !expires,
  }
}
