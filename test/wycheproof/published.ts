import { publicJwk } from '../../src/signing/public-jwk.ts'
import type { PublicKey } from '../../src/signing/public-key.ts'

/** @throws {Error} unless the JWK that we would publish says what the JWK of the file says. */
export function assertPublishedAs(key: PublicKey, theirs: Readonly<Record<string, unknown>>): void {
  const isSame = Object.entries(publicJwk(key)).every(([name, value]) => theirs[name] === value)
  if (!isSame) throw new Error('the public JWK is another one than the file has')
}
