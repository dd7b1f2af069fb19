import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { publicKeyFromSpki, spkiOf } from '../../src/signing/public-key.ts'
import { isRocaModulus, isRocaWeak } from '../../src/signing/roca.ts'
import { memoryKey } from '../support/memory-key.ts'

/** The first 39 primes: what the smallest affected keys are built on. */
const primes = [
  2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
  101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
]
const product = primes.reduce((sum, prime) => sum * BigInt(prime), 1n)

/** As the library makes its primes: k × M + 65537^a mod M (https://crocs.fi.muni.cz/public/papers/rsa_ccs17 §2). */
function builtOn(k: bigint, a: number): bigint {
  let power = 1n
  for (let i = 0; i < a; i += 1) power = (power * 65_537n) % product
  return k * product + power
}

test('moduli that are built as the library builds them are found', () => {
  for (let i = 1; i <= 50; i += 1) {
    const modulus = builtOn(BigInt(i) << 700n, i * 31) * builtOn(BigInt(i) << 800n, i * 17)
    expect(isRocaModulus(modulus)).toBe(true)
    expect(isRocaModulus(modulus + 2n)).toBe(false)
  }
})

test('keys that others make are not', () => {
  const made = Array.from({ length: 8 }, () => generateKeyPairSync('rsa', { modulusLength: 2048 }))
  const keys = made.map(({ publicKey }) => publicKeyFromSpki(spkiOf(publicKey)))
  expect(keys.map(isRocaWeak)).toEqual(keys.map(() => false))
})

test('a key that is no RSA key has no such weakness', () => {
  const object = createPublicKey(memoryKey('ES256').secret)
  expect(isRocaWeak({ object, spki: spkiOf(object) })).toBe(false)
})
