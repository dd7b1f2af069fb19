import { fingerprints } from '../signing/fingerprint.ts'
import type { PublicKey } from '../signing/public-key.ts'
import { versionName } from './version.ts'

/**
 * The id verifiers see (CONTRACT §1.2): RFC 7638 for public keys, `key@n` for symmetric ones, of
 * which nobody outside needs a name. Whether it stands in the JWT header is the profile's business.
 */
export function kidOf(key: string, n: number, publicKey: PublicKey | undefined): string {
  return publicKey ? fingerprints(publicKey).rfc7638 : versionName(key, n)
}
