import { ServiceError } from '../errors.ts'
import type { KeyVersion } from '../keys/version.ts'

/** Choosing among the versions of one key, which are given oldest first. */
type Versions = readonly KeyVersion[]

/** The version with a kid: one that signs, else the latest, whatever its state. */
export function versionNamed(versions: Versions, kid: string): KeyVersion | undefined {
  const named = versions.filter((version) => version.kid === kid)
  return named.find(isActive) ?? named.at(-1)
}

/**
 * The version that signs: the latest, or the one with a kid, where tokens name their version.
 *
 * @throws {ServiceError} `no_active_version`, `version_revoked`, `version_not_active`.
 */
export function signingVersion(versions: Versions, kid?: string): KeyVersion {
  const version = kid === undefined ? versions.findLast(isActive) : versionNamed(versions, kid)
  if (version && isActive(version)) return version
  if (!version) {
    throw new ServiceError('no_active_version', 'The key has no version that signs now')
  }
  if (version.state === 'revoked') {
    throw new ServiceError('version_revoked', 'The key version is revoked')
  }
  throw new ServiceError('version_not_active', 'The key version does not sign')
}

export function isActive({ state }: KeyVersion): boolean {
  return state === 'active'
}
