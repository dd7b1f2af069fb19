import { type KeyVersion, versionName } from '../keys/version.ts'
import { publicKeyFromSpki } from '../signing/public-key.ts'
import type { Registration } from './registry.ts'

/** What a registry is told of a version, and told to forget. */
export function registrationOf({ key, n, kid, algorithm, spki }: KeyVersion): Registration {
  if (spki) return { kid, algorithm, publicKey: publicKeyFromSpki(spki) }
  throw new TypeError(`${versionName(key, n)} has no public half that a registry could have`)
}
