import { constants, createPublicKey, hash, privateEncrypt, publicDecrypt, sign } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Bytes, utf8 } from '../../src/lib/bytes.ts'
import {
  algorithm,
  algorithmNames,
  type DigestAlgorithm,
  signsHash,
} from '../../src/signing/algorithms.ts'
import { publicKeyFromSpki, spkiOf } from '../../src/signing/public-key.ts'
import { verifies } from '../../src/signing/verify.ts'
import { verifiesDigest } from '../../src/signing/verify-digest.ts'
import { signPss } from '../support/digest-signing.ts'
import { rsaOf2049Bits } from '../support/odd-rsa.ts'
import { digestSignature, memoryKeyPair } from '../support/memory-key.ts'

/** Node checks signatures over messages: whatever it says of one has to be said of its digest. */

const rows = algorithmNames.map(algorithm).filter(signsHash)

describe.each(rows)('$name over a digest', (row) => {
  const { secret, publicKey, signer } = memoryKeyPair(row.name)
  const other = memoryKeyPair(row.name, 'other')

  test('says of any message, its signature changed or not, what Node says of the message', async () => {
    const bytes = fc.uint8Array({ maxLength: 40 })
    const change = fc.record({ at: fc.nat(600), by: fc.integer({ min: 1, max: 255 }) })
    const said: boolean[] = []
    const property = fc.asyncProperty(
      bytes,
      bytes,
      change,
      async (message, another, { at, by }) => {
        const good = await signer.sign({ message, digest: undefined }, row, signal)
        const bad = good.map((byte, i) => (i === at % good.length ? byte ^ by : byte))
        for (const [shown, signature] of [
          [message, good],
          [another, good],
          [message, bad],
        ] as const) {
          const expected = verifies(publicKey, row, shown, signature)
          said.push(expected)
          const verdict = await verifiesDigest(publicKey, row, digestOf(row, shown), signature)
          expect(verdict).toBe(expected)
        }
      },
    )
    const numRuns = row.kty === 'EC' ? 12 : 40 // milliseconds each
    await fc.assert(property, { numRuns })
    expect(said.filter(Boolean).length).toBeGreaterThanOrEqual(numRuns)
    expect(said.filter((one) => !one).length).toBeGreaterThanOrEqual(numRuns)
  })

  test('a signature of a vault over a digest verifies under its own key and under no other', async () => {
    const digest = digestOf(row, utf8('a message'))
    const signature = digestSignature(secret, row, digest)
    expect(await verifiesDigest(publicKey, row, digest, signature)).toBe(true)
    expect(await verifiesDigest(other.publicKey, row, digest, signature)).toBe(false)
  })

  test('a signature over a digest that was hashed again does not verify', async () => {
    const digest = digestOf(row, utf8('a message'))
    const signature = await signer.sign({ message: digest, digest: undefined }, row, signal)
    expect(await verifiesDigest(publicKey, row, digest, signature)).toBe(false)
  })

  test('nothing verifies that is no digest of its hash, or no signature', async () => {
    const digest = digestOf(row, utf8('a message'))
    const signature = digestSignature(secret, row, digest)
    const longer = new Uint8Array([...signature, 0])
    const shifted = new Uint8Array([0, ...signature])
    const bad: readonly (readonly [Bytes, Uint8Array])[] = [
      [digest.slice(0, -1), signature],
      [new Uint8Array([...digest, 0]), signature],
      [new Uint8Array(), signature],
      [digest, signature.subarray(0, -1)],
      [digest, signature.subarray(1)],
      [digest, longer],
      [digest, shifted],
      [digest, new Uint8Array()],
      [digest, new Uint8Array(signature.length)],
      [digest, new Uint8Array(signature.length).fill(0xff)],
      [digest, new Uint8Array(signature.length).fill(1)],
    ]
    const taken = bad.map(([one, by]) => verifiesDigest(publicKey, row, one, by))
    expect(await Promise.all(taken)).toEqual(bad.map(() => false))
  })

  test('the hash of another algorithm, and its padding, do not verify', async () => {
    const digest = digestOf(row, utf8('a message'))
    const others = rows.filter((one) => one.kty === row.kty && one !== row)
    const taken = others.map((one) => {
      const key = one.kty === 'RSA' ? secret : memoryKeyPair(one.name).secret
      const signature = digestSignature(key, one, digestOf(one, utf8('a message')))
      return verifiesDigest(publicKey, row, digest, signature)
    })
    expect(await Promise.all(taken)).toEqual(others.map(() => false))
  })
})

describe('ECDSA over a digest', () => {
  test.each(rows.filter(({ kty }) => kty === 'EC'))(
    '$name takes s and n - s alike, as whoever verifies a JWS does',
    async (row) => {
      const { secret, publicKey } = memoryKeyPair(row.name)
      const high = new Set<boolean>()
      const middle = row.name === 'ES512' ? 0x01 : 0x80
      // Every other one has the greater of the two.
      for (let i = 0; i < 40; i += 1) {
        const digest = digestOf(row, utf8(`message ${i}`))
        const signature = digestSignature(secret, row, digest)
        high.add((signature[signature.length / 2] ?? 0) >= middle)
        expect(await verifiesDigest(publicKey, row, digest, signature)).toBe(true)
      }
      expect(high.size).toBe(2)
    },
  )
})

describe.each(['PS256', 'PS384', 'PS512'] as const)('%s over a digest', (name) => {
  const row = memoryKeyPair(name).algorithm
  const hashName = name === 'PS256' ? 'sha256' : name === 'PS384' ? 'sha384' : 'sha512'
  const digestLength = Number(name.slice(2)) / 8

  test.each([0, 20, digestLength - 1, digestLength + 1])(
    'a salt of %i bytes is caught',
    async (salt) => {
      const { secret, publicKey } = memoryKeyPair(name)
      const digest = new Uint8Array(hash(hashName, 'a message', 'buffer'))
      const signature = signPss(secret, hashName, digest, salt)
      if (!signsHash(row)) throw new TypeError('PSS signs a hash')
      expect(await verifiesDigest(publicKey, row, digest, signature)).toBe(false)
      const exact = signPss(secret, hashName, digest, digestLength)
      expect(await verifiesDigest(publicKey, row, digest, exact)).toBe(true)
    },
  )
})

test.each(['RS256', 'PS256'] as const)(
  '%s takes no signature whose first byte is zero without that byte',
  async (name) => {
    const { secret, publicKey, algorithm: row } = memoryKeyPair(name)
    if (!signsHash(row)) throw new TypeError(`${name} signs a hash`)
    let digest = digestOf(row, utf8('a message'))
    let signature = digestSignature(secret, row, digest)
    while (signature[0] !== 0) {
      digest = digestOf(row, digest)
      signature = digestSignature(secret, row, digest)
    }
    expect(await verifiesDigest(publicKey, row, digest, signature)).toBe(true)
    expect(await verifiesDigest(publicKey, row, digest, signature.subarray(1))).toBe(false)
  },
)

/** The encoded message of PSS then has a byte less than the modulus, and all bits of its first one. */
describe('PS256 under a modulus of 2049 bits', () => {
  const privateKey = rsaOf2049Bits()
  const key = publicKeyFromSpki(spkiOf(createPublicKey(privateKey)))
  const row = { name: 'PS256', kty: 'RSA', hash: 'sha256', padding: 'pss' } as const
  const messages = Array.from({ length: 24 }, (_, i) => utf8(`message ${i}`))

  test('Node’s signatures over messages verify over their digests', async () => {
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const taken = messages.map((message) => {
      const signature = sign('sha256', message, { key: privateKey, padding, saltLength: 32 })
      return verifiesDigest(key, row, digestOf(row, message), signature)
    })
    expect(await Promise.all(taken)).toEqual(messages.map(() => true))
  })

  test('a number above every encoded message is no signature', async () => {
    const padding = constants.RSA_NO_PADDING
    const taken = messages.flatMap((message) => {
      const digest = digestOf(row, message)
      const good = signPss(privateKey, 'sha256', digest)
      const encoded = publicDecrypt({ key: key.object, padding }, good)
      expect(encoded[0]).toBe(0)
      encoded[0] = 1
      try {
        const raised = privateEncrypt({ key: privateKey, padding }, encoded)
        return [verifiesDigest(key, row, digest, raised)]
      } catch {
        return [] // greater than the modulus
      }
    })
    expect(new Set(await Promise.all(taken))).toEqual(new Set([false]))
  })
})

const { signal } = new AbortController()

function digestOf(row: DigestAlgorithm, message: Uint8Array): Bytes {
  return new Uint8Array(hash(row.hash, message, 'buffer'))
}
