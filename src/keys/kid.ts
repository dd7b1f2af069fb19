import { fingerprints } from '../signing/fingerprint.ts'
import type { Key } from './key.ts'
import type { PublicKey } from '../signing/public-key.ts'
import { versionName } from './version.ts'

/**
 * The id verifiers see (CONTRACT §1.2): the contentful fingerprint where an app of a registry has the
 * key, else RFC 7638; `key@n` for symmetric ones, of which nobody outside needs a name. Whether it
 * stands in the JWT header is the profile's business.
 */
export function kidOf(
  { name, registry }: Pick<Key, 'name' | 'registry'>,
  n: number,
  publicKey: PublicKey | undefined,
): string {
  if (!publicKey) return versionName(name, n)
  const { contentful, rfc7638 } = fingerprints(publicKey)
  return registry?.kind === 'app' ? contentful : rfc7638
}
