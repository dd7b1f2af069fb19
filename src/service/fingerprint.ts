import type { Caller } from '../auth/caller.ts'
import { ServiceError } from '../errors.ts'
import type { KeyVersion } from '../keys/version.ts'
import type { FingerprintName, Fingerprints } from '../signing/fingerprint.ts'
import { authorize, type AuthorizeDeps } from './authorize.ts'
import type { SigningKeys } from './signing-keys.ts'
import { isActive } from './version-choice.ts'

/** The names that a transport may be asked for. */
export { fingerprintNames } from '../signing/fingerprint.ts'

export type FingerprintDeps = AuthorizeDeps & { readonly keys: SigningKeys }

export type FingerprintCommand = {
  readonly request: string
  readonly callerRequest: string | undefined
  readonly caller: Caller
  readonly key: string
  /** The version that signs now, every visible one, or one by its number. */
  readonly version: 'signing' | 'all' | number
}

export type VersionFingerprints = {
  readonly version: number
  readonly state: string
  readonly alg: string
  readonly kid: string
  readonly custody: string
  /** Empty for symmetric keys, which have no public half. */
  readonly fingerprints: Partial<Fingerprints>
}

/**
 * The versions asked for; suspended keys still answer.
 *
 * @throws {ServiceError} `key_not_found`, `operation_not_granted`, `not_found`, `no_active_version`.
 */
export function readFingerprints(
  deps: FingerprintDeps,
  command: FingerprintCommand,
): readonly VersionFingerprints[] {
  const asked = { ...command, operation: 'read-fingerprint', purpose: undefined } as const
  authorize(deps, asked, () => undefined)
  return chosen(deps.keys.visible(command.key), command.version).map((version) =>
    describe(version, deps.keys.fingerprintsOf(version)),
  )
}

/** One of the fingerprints, or why there is none. @throws {ServiceError} `no_public_key`. */
export function fingerprintNamed(
  { fingerprints: all }: VersionFingerprints,
  name: FingerprintName,
): string {
  const value = all[name]
  if (value !== undefined) return value
  throw new ServiceError('no_public_key', 'The key has no public half')
}

function chosen(
  visible: readonly KeyVersion[],
  version: FingerprintCommand['version'],
): readonly KeyVersion[] {
  if (version === 'all') return visible
  if (version === 'signing') {
    const active = visible.findLast(isActive)
    if (active) return [active]
    throw new ServiceError('no_active_version', 'The key has no version that signs now')
  }
  const one = visible.find(({ n }) => n === version)
  if (one) return [one]
  throw new ServiceError('not_found', 'The key has no such version')
}

function describe(version: KeyVersion, all: Partial<Fingerprints>): VersionFingerprints {
  const { n, state, algorithm: alg, kid, custody } = version
  return { version: n, state, alg, kid, custody, fingerprints: all }
}
