import { hash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { utf8 } from '../../../src/lib/bytes.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { algorithm, type AlgorithmName } from '../../../src/signing/algorithms.ts'
import { guardedVault } from '../../../src/signing/guarded-vault.ts'
import { publicKeyFromSpki } from '../../../src/signing/public-key.ts'
import { type SigningKey, signMessage } from '../../../src/signing/sign.ts'
import { awsEnvironment, awsVault, heldKey } from '../../support/aws-vault.ts'
import { fakeKms, type FakeKms } from '../../support/fake-kms.ts'
import { rememberingObserver } from '../../support/guarded.ts'

const { signal } = new AbortController()
let kms: FakeKms

beforeAll(async () => {
  for (const [name, value] of Object.entries(awsEnvironment)) vi.stubEnv(name, value)
  kms = await fakeKms()
})

afterAll(async () => {
  await kms[Symbol.asyncDispose]()
  vi.unstubAllEnvs()
})

async function opened(name: AlgorithmName): Promise<SigningKey & { readonly arn: string }> {
  const { arn } = heldKey(kms, name)
  const signer = await awsVault(kms).open({ resource: arn, algorithm: name }, signal)
  const spki = await signer.publicKey(signal)
  const publicKey = spki && publicKeyFromSpki(spki)
  return { signer, algorithm: algorithm(name), publicKey, arn }
}

const lastBody = () => kms.requests.at(-1)?.body
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const bytesOf = (length: number) => new Uint8Array(length).fill(0x61)

test.each(['ES256', 'HS256'] as const)(
  '%s tells what KMS calls the request, through the guard, too',
  async (name) => {
    const { arn: resource } = heldKey(kms, name)
    const limits = { deadlineMs: 60_000, concurrency: 1, quotaPerSecond: undefined }
    const surroundings = { vault: 'aws', clock: systemClock, observer: rememberingObserver() }
    const { vault } = guardedVault(awsVault(kms), limits, surroundings)
    const signer = await vault.open({ resource, algorithm: name }, signal)
    const noted: string[] = []
    const spki = await signer.publicKey(signal)
    const key = { signer, algorithm: algorithm(name), publicKey: spki && publicKeyFromSpki(spki) }
    for (const length of [1, 1])
      await signMessage(key, bytesOf(length), signal, (id) => noted.push(id))
    expect(noted).toEqual(kms.requests.slice(-2).map(({ id }) => id))
    expect(new Set(noted).size).toBe(2)
  },
)

describe('[C5] what is sent', () => {
  test.each([
    ['RS256', 'RSASSA_PKCS1_V1_5_SHA_256'],
    ['RS384', 'RSASSA_PKCS1_V1_5_SHA_384'],
    ['RS512', 'RSASSA_PKCS1_V1_5_SHA_512'],
    ['PS256', 'RSASSA_PSS_SHA_256'],
    ['PS384', 'RSASSA_PSS_SHA_384'],
    ['PS512', 'RSASSA_PSS_SHA_512'],
    ['ES256', 'ECDSA_SHA_256'],
    ['ES384', 'ECDSA_SHA_384'],
    ['ES512', 'ECDSA_SHA_512'],
    ['EdDSA', 'ED25519_SHA_512'],
  ] as const)('%s is asked for as %s, by its key ARN, raw', async (name, SigningAlgorithm) => {
    const key = await opened(name)
    const message = bytesOf(4_096)
    await signMessage(key, message, signal)
    const Message = base64(message)
    expect(lastBody()).toEqual({ KeyId: key.arn, SigningAlgorithm, Message, MessageType: 'RAW' })
  })

  test.each([
    ['RS256', 'sha256'],
    ['PS384', 'sha384'],
    ['ES512', 'sha512'],
  ] as const)('%s of no bytes, or of 4,097, goes as its %s', async (name, digest) => {
    const key = await opened(name)
    for (const message of [bytesOf(0), bytesOf(4_097), bytesOf(16_384)]) {
      await signMessage(key, message, signal)
      const Message = base64(hash(digest, message, 'buffer'))
      expect(lastBody()).toMatchObject({ Message, MessageType: 'DIGEST' })
    }
  })

  test.each(['EdDSA', 'HS256', 'HS512'] as const)(
    '%s has no digest: 4,097 bytes are message_too_large, and nothing is billed',
    async (name) => {
      const key = await opened(name)
      expect(await signMessage(key, bytesOf(4_096), signal)).not.toHaveLength(0)
      const before = kms.requests.length
      await expect(signMessage(key, bytesOf(4_097), signal)).rejects.toMatchObject({
        code: 'message_too_large',
      })
      await expect(signMessage(key, bytesOf(0), signal)).rejects.toMatchObject({
        code: 'malformed_request',
      })
      expect(kms.requests.length).toBe(before)
    },
  )

  test.each(['HS256', 'HS384', 'HS512'] as const)('%s is a MAC, and never a Sign', async (name) => {
    const key = await opened(name)
    const before = kms.count('Sign')
    await signMessage(key, utf8('a message'), signal)
    expect(lastBody()).toEqual({
      KeyId: key.arn,
      MacAlgorithm: `HMAC_SHA_${name.slice(2)}`,
      Message: base64(utf8('a message')),
    })
    expect(kms.count('Sign')).toBe(before)
  })
})

/** SEQUENCE of two INTEGERs, in whatever form: https://www.itu.int/rec/T-REC-X.690 */
const malformed: readonly (readonly [what: string, hex: string])[] = [
  ['nothing', ''],
  ['r || s as it is', `${'11'.repeat(32)}${'22'.repeat(32)}`],
  ['a byte too many', '3006020101020101ff'],
  ['a byte too few', '30060201010201'],
  ['a negative r', '3006020181020101'],
  ['a zero s', '3006020101020100'],
  ['padding', '300702020001020101'],
  ['a long form where the short one does', '308106020101020101'],
  ['an indefinite length', '30800201010201010000'],
  ['one integer', '3003020101'],
  ['a set', '3106020101020101'],
]

describe('[C1] ECDSA as DER', () => {
  test.each(malformed)('%s is no signature: signature_invalid', async (_, hex) => {
    const key = await opened('ES256')
    const Signature = base64(Buffer.from(hex, 'hex'))
    kms.next({ kind: 'alter', change: (answer) => ({ ...answer, Signature }) })
    const asked = signMessage(key, utf8('a message'), signal)
    await expect(asked).rejects.toMatchObject({ code: 'signature_invalid' })
  })

  test('short integers come out at full width, whatever P-521 does with its lengths', async () => {
    const key = await opened('ES512')
    const lengths = new Set<number>()
    for (let at = 0; at < 300; at += 1) {
      let derBytes = 0
      const change = (answer: Readonly<Record<string, unknown>>) => {
        derBytes = Buffer.from(String(answer['Signature']), 'base64').length
        return answer
      }
      kms.next({ kind: 'alter', change })
      expect(await signMessage(key, utf8(`message ${at}`), signal)).toHaveLength(132)
      lengths.add(derBytes)
    }
    expect(lengths.size).toBeGreaterThan(1) // or the test has seen no short one
  })
})
