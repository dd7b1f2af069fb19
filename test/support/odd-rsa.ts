import { createPrivateKey, generatePrimeSync, type KeyObject } from 'node:crypto'

/** OpenSSL makes no RSA key of an odd number of bits; other makers do. Its modulus has 2049. */
export function rsaOf2049Bits(): KeyObject {
  const e = 65_537n
  let [p, q, phi] = [1n, 1n, 0n]
  while ((p * q).toString(2).length !== 2_049 || phi % e === 0n) {
    p = generatePrimeSync(1_024, { bigint: true })
    q = generatePrimeSync(1_025, { bigint: true })
    phi = (p - 1n) * (q - 1n)
  }
  const d = inverse(e, phi)
  const members = { n: p * q, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) }
  const texts = Object.entries(members).map(([name, value]) => [name, base64url(value)])
  return createPrivateKey({ key: { kty: 'RSA', ...Object.fromEntries(texts) }, format: 'jwk' })
}

/** By Euclid's algorithm. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b] = [b, a % b]
    ;[x, y] = [y, x - quotient * y]
  }
  return ((x % modulus) + modulus) % modulus
}

function base64url(value: bigint): string {
  const hex = value.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url')
}
