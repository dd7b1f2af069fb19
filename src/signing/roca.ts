import { encodeBytes, decodeBase64url } from '../lib/bytes.ts'
import type { PublicKey } from './public-key.ts'
import { publicJwk } from './public-jwk.ts'

/**
 * The primes whose product every affected modulus is built on, but 2; for all sizes of key:
 * https://crocs.fi.muni.cz/_media/public/papers/nemec_roca_ccs17_preprint.pdf §2.1
 */
const primes = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
  103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
] as const

const generator = 65_537

/**
 * Whether an RSA key was made by the library of CVE-2017-15361, whose private keys can be computed from
 * the public ones: its moduli are powers of 65537 modulo each of these primes, which others are by
 * chance once in 2^150.
 */
export function isRocaWeak(key: PublicKey): boolean {
  const jwk = publicJwk(key)
  if (jwk.kty !== 'RSA') return false
  const modulus = BigInt(`0x${encodeBytes(decodeBase64url(jwk.n), 'hex')}`)
  return isRocaModulus(modulus)
}

/** The arithmetic of `isRocaWeak`. */
export function isRocaModulus(modulus: bigint): boolean {
  return primes.every((prime) => powersModulo(prime).has(Number(modulus % BigInt(prime))))
}

/** What 65537 generates modulo a prime. */
function powersModulo(prime: number): ReadonlySet<number> {
  const powers = new Set<number>()
  let power = 1
  while (!powers.has(power)) {
    powers.add(power)
    power = (power * generator) % prime
  }
  return powers
}
