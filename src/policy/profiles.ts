import type { ProfileName, ProfileSettings } from '../keys/key.ts'

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
}

/** A caller's or a signing input's own `iat` must be this close to our clock. */
export const iatSkewSecondsMax = 65

/** Where the profile has no longest lifetime of its own, the grant says one. */
const lifetimeByGrant = Number.MAX_SAFE_INTEGER

const app = {
  jti: false,
  lifetimeSecondsMax: 600,
  grantListsClaims: false,
} as const

/**
 * DESIGN §4, from: github-app
 * https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
 * contentful-app https://www.contentful.com/developers/docs/extensibility/app-framework/app-keys/
 * client-assertion https://www.rfc-editor.org/rfc/rfc7523#section-3
 */
const profiles: { readonly [N in ProfileName]: Omit<Profile, 'fixed' | 'reserved'> } = {
  'github-app': { ...app, kidInHeader: false, iatBackdatedSeconds: 60, callerMaySendIat: true },
  'icr-app': { ...app, kidInHeader: false, iatBackdatedSeconds: 60, callerMaySendIat: true },
  'contentful-app': { ...app, kidInHeader: true, iatBackdatedSeconds: 0, callerMaySendIat: false },
  'client-assertion': {
    kidInHeader: true,
    jti: true,
    lifetimeSecondsMax: 300,
    iatBackdatedSeconds: 0,
    callerMaySendIat: false,
    grantListsClaims: false,
  },
  'generic-jwt': {
    kidInHeader: true,
    jti: true,
    lifetimeSecondsMax: lifetimeByGrant,
    iatBackdatedSeconds: 0,
    callerMaySendIat: false,
    grantListsClaims: true,
  },
}

/** The table's row, filled in by the key: resolved once, when the configuration is read. */
export function resolveProfile(settings: ProfileSettings): Profile {
  const row = profiles[settings.name]
  const fixed = fixedClaims(settings)
  const reserved = [...Object.keys(fixed), ...(row.jti ? ['jti'] : []), 'iat', 'exp']
  return { ...row, fixed, reserved }
}

function fixedClaims(settings: ProfileSettings): Readonly<Record<string, string>> {
  if (settings.name !== 'client-assertion') return { iss: settings.issuer }
  return { iss: settings.clientId, sub: settings.clientId, aud: settings.audience }
}

/** Whether a grant on this profile must, and may, say something. */
export function grantNeeds(name: ProfileName): {
  readonly maxLifetime: boolean
  readonly claims: boolean
} {
  const { lifetimeSecondsMax, grantListsClaims } = profiles[name]
  return { maxLifetime: lifetimeSecondsMax === lifetimeByGrant, claims: grantListsClaims }
}
