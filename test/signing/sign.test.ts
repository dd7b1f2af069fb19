import { constants, createHmac, createPrivateKey, createSecretKey, hash, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { type Bytes, utf8 } from '../../src/lib/bytes.ts'
import {
  type Algorithm,
  algorithm,
  algorithmNames,
  type PublicAlgorithm,
  signsHash,
} from '../../src/signing/algorithms.ts'
import { signDigest, signMessage } from '../../src/signing/sign.ts'
import type { Signer, SigningInput } from '../../src/signing/signer.ts'
import { verifies } from '../../src/signing/verify.ts'
import {
  answering,
  digestSignature,
  memoryKey,
  memoryKeyOf,
  memoryKeyPair,
  type MemoryKey,
  publicAlgorithmNames,
} from '../support/memory-key.ts'
import { watchedSigner } from '../support/watched-signer.ts'
import { fingerprintVectors, rfcVectors } from '../support/vectors.ts'

const { signal } = new AbortController()
const message = utf8('a message')

/** What comes out when the vault answers this instead of a signature over the message. */
function releasing(key: MemoryKey, answer: Uint8Array): Promise<Uint8Array> {
  return signMessage({ ...key, signer: answering(answer) }, message, signal)
}

const caught = expect.objectContaining({
  code: 'signature_invalid',
  message: 'The vault answered a signature that does not verify',
})

describe.each(algorithmNames)('%s', (name) => {
  test('the signer gets the message as it is and the hash of this algorithm', async () => {
    const asked: SigningInput[] = []
    const key = memoryKey(name)
    const watched: Signer = {
      ...key.signer,
      sign: (input, row, abort) => {
        asked.push(input)
        return key.signer.sign(input, row, abort)
      },
    }
    await signMessage({ ...key, signer: watched }, message, signal)
    const digest =
      key.algorithm.kty === 'OKP'
        ? undefined
        : new Uint8Array(hash(key.algorithm.hash, message, 'buffer'))
    expect(asked).toEqual([{ message, digest }])
  })

  test('an empty message is signed too', async () => {
    await expect(signMessage(memoryKey(name), utf8(''), signal)).resolves.toBeInstanceOf(Uint8Array)
  })

  test('what the signer throws comes out unchanged', async () => {
    const error = new ServiceError('vault_throttled', 'The vault is throttling')
    const signer: Signer = { ...memoryKey(name).signer, sign: () => Promise.reject(error) }
    await expect(signMessage({ ...memoryKey(name), signer }, message, signal)).rejects.toBe(error)
  })

  test('a truncated, an extended and an empty answer are caught', async () => {
    const key = memoryKey(name)
    const good = await signMessage(key, message, signal)
    const bad = [good.subarray(0, -1), Buffer.concat([good, Buffer.of(0)]), new Uint8Array()]
    const settled = await Promise.allSettled(bad.map((answer) => releasing(key, answer)))
    expect(settled).toEqual(bad.map(() => ({ status: 'rejected', reason: caught })))
  })
})

describe.each(publicAlgorithmNames)('%s', (name) => {
  const key = memoryKeyPair(name)

  test('the signature of another key is caught', async () => {
    const answer = await signMessage(memoryKeyPair(name, 'other'), message, signal)
    await expect(releasing(key, answer)).rejects.toEqual(caught)
  })

  test('a signature over another message is caught', async () => {
    const answer = await signMessage(key, utf8('another message'), signal)
    await expect(releasing(key, answer)).rejects.toEqual(caught)
  })

  test('nothing is released for a version without a pinned public key', async () => {
    await expect(signMessage({ ...key, publicKey: undefined }, message, signal)).rejects.toEqual(
      caught,
    )
  })
})

const digestNames = publicAlgorithmNames.filter((name) => signsHash(algorithm(name)))

describe.each(digestNames)('%s over a digest', (name) => {
  const key = memoryKeyPair(name)
  const row = key.algorithm
  const other = memoryKeyPair(name, 'other')
  const digest = digestOf(row, message)

  const releasingDigest = (answer: Uint8Array) =>
    signDigest({ ...key, signer: answering(answer) }, digest, signal)

  test('the signer gets the digest alone, and what it answers is a signature of the message', async () => {
    const watched = watchedSigner(key.signer)
    const signature = await signDigest({ ...key, signer: watched }, digest, signal)
    expect(watched.calls).toEqual([{ message: undefined, digest }])
    expect(verifies(key.publicKey, row, message, signature)).toBe(true)
  })

  test('a vault that signs another digest is caught', async () => {
    const answer = digestSignature(key.secret, row, digestOf(row, utf8('another message')))
    await expect(releasingDigest(answer)).rejects.toEqual(caught)
  })

  test('a vault that hashes the digest again is caught', async () => {
    const answer = await signMessage(key, digest, signal)
    await expect(releasingDigest(answer)).rejects.toEqual(caught)
  })

  test('a vault that signs with another key is caught', async () => {
    const answer = digestSignature(other.secret, row, digest)
    await expect(releasingDigest(answer)).rejects.toEqual(caught)
  })

  test('a truncated, an extended and an empty answer are caught', async () => {
    const good = digestSignature(key.secret, row, digest)
    const bad = [good.subarray(0, -1), Buffer.concat([good, Buffer.of(0)]), new Uint8Array()]
    const settled = await Promise.allSettled(bad.map(releasingDigest))
    expect(settled).toEqual(bad.map(() => ({ status: 'rejected', reason: caught })))
  })

  test('nothing is released for a version without a pinned public key', async () => {
    const asked = signDigest({ ...key, publicKey: undefined }, digest, signal)
    await expect(asked).rejects.toEqual(caught)
  })
})

test.each(['EdDSA', 'HS256', 'HS384', 'HS512'] as const)(
  '%s has no digest to sign, and its vault is not asked',
  async (name) => {
    const key = memoryKey(name)
    const watched = watchedSigner(key.signer)
    const asked = signDigest({ ...key, signer: watched }, new Uint8Array(32), signal)
    await expect(asked).rejects.toMatchObject({ code: 'vault_key_unusable' })
    expect(watched.calls).toEqual([])
  },
)

function digestOf(row: Algorithm, bytes: Uint8Array): Bytes {
  if (!signsHash(row)) throw new TypeError(`${row.name} signs no digests`)
  return new Uint8Array(hash(row.hash, bytes, 'buffer'))
}

type RsaAlgorithm = Extract<PublicAlgorithm, { kty: 'RSA' }>

describe.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const)('%s', (name) => {
  const key = memoryKeyPair(name)
  const others = publicAlgorithmNames
    .map((other) => memoryKeyPair(other).algorithm)
    .filter((row): row is RsaAlgorithm => row.kty === 'RSA' && row.name !== name)

  test.each(others)('the padding and hash of $name are caught', async (row) => {
    const answer = await memoryKeyPair(row.name).signer.sign(
      { message, digest: undefined },
      row,
      signal,
    )
    await expect(releasing(key, answer)).rejects.toEqual(caught)
  })
})

describe.each(['PS256', 'PS384', 'PS512'] as const)('%s', (name) => {
  const { secret, publicKey, algorithm: row } = memoryKeyPair(name)
  const digestBytes = Number(name.slice(2)) / 8

  const signedWithSalt = (saltLength: number): Uint8Array =>
    sign(`sha${name.slice(2)}`, message, {
      key: secret,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength,
    })

  test.each([
    ['no salt', 0],
    ['a salt of 20 bytes', 20],
    ['a salt one byte short', digestBytes - 1],
    ['a salt one byte long', digestBytes + 1],
    ['the longest salt', constants.RSA_PSS_SALTLEN_MAX_SIGN],
  ])('%s is caught', async (_, saltLength) => {
    await expect(releasing(memoryKey(name), signedWithSalt(saltLength))).rejects.toEqual(caught)
  })

  test('a salt as long as the hash is what RFC 7518 asks for', () => {
    expect(verifies(publicKey, row, message, signedWithSalt(digestBytes))).toBe(true)
  })
})

describe.each(['ES256', 'ES384', 'ES512'] as const)('%s', (name) => {
  const key = memoryKeyPair(name)

  test('DER instead of r || s is caught', async () => {
    const answer = sign(`sha${name.slice(2)}`, message, key.secret)
    await expect(releasing(key, answer)).rejects.toEqual(caught)
  })

  test('s || r is caught', async () => {
    const good = await signMessage(key, message, signal)
    const half = good.length / 2
    const answer = Buffer.concat([good.subarray(half), good.subarray(0, half)])
    await expect(releasing(key, answer)).rejects.toEqual(caught)
  })

  test('a digest that was hashed again is caught', async () => {
    const digest = hash(`sha${name.slice(2)}`, message, 'buffer')
    const answer = sign(`sha${name.slice(2)}`, digest, {
      key: key.secret,
      dsaEncoding: 'ieee-p1363',
    })
    await expect(releasing(key, answer)).rejects.toEqual(caught)
  })
})

describe.each([
  ['HS256', 'sha384', 'sha512'],
  ['HS384', 'sha256', 'sha512'],
  ['HS512', 'sha256', 'sha384'],
] as const)('%s', (name, ...hashes) => {
  test.each(hashes)('a MAC of %s is caught by its length', async (other) => {
    const key = memoryKey(name)
    const answer = createHmac(other, key.secret).update(message).digest()
    await expect(releasing(key, answer)).rejects.toEqual(caught)
  })
})

test.each(rfcVectors.knownAnswers)('the published answer of $section, $alg', async (vector) => {
  const { alg, jwk, signingInput, signature } = vector
  const secret =
    jwk.kty === 'oct'
      ? createSecretKey(jwk.k, 'base64url')
      : createPrivateKey({ key: jwk, format: 'jwk' })
  const answer = await signMessage(memoryKeyOf(alg, secret), utf8(signingInput), signal)
  expect(Buffer.from(answer).toString('base64url')).toBe(signature)
})

test.each(fingerprintVectors.hs256)('the HS256 token of openssl for $keyId', async (vector) => {
  const key = memoryKeyOf('HS256', createSecretKey(vector.keyHex, 'hex'))
  const answer = await signMessage(key, utf8(vector.signingInput), signal)
  expect(Buffer.from(answer).toString('base64url')).toBe(vector.signatureBase64url)
})
