import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { algorithm, type AlgorithmName } from '../../../src/signing/algorithms.ts'
import { publicKeyFromSpki } from '../../../src/signing/public-key.ts'
import { signMessage } from '../../../src/signing/sign.ts'
import { describeAltered, type Share } from '../../conformance/altered-suite.ts'
import { awsEnvironment, awsVault, heldKey, someArn } from '../../support/aws-vault.ts'
import { fakeKms, type FakeKms } from '../../support/fake-kms.ts'
import { patience } from '../../support/signing-service.ts'

let kms: FakeKms

beforeAll(async () => {
  for (const [name, value] of Object.entries(awsEnvironment)) vi.stubEnv(name, value)
  kms = await fakeKms()
})
afterAll(async () => {
  await kms[Symbol.asyncDispose]()
  vi.unstubAllEnvs()
})

async function open(name: AlgorithmName) {
  const { arn } = heldKey(kms, name)
  const signer = await awsVault(kms).open({ resource: arn, algorithm: name }, patience)
  const spki = await signer.publicKey(patience)
  return { signer, algorithm: algorithm(name), publicKey: spki && publicKeyFromSpki(spki) }
}

/** Ten thousand: most of what is quick, and of every algorithm enough for all kinds of answers. */
const shares: readonly Share[] = [
  { algorithm: 'ES256', form: 'message', answers: 5_000 },
  { algorithm: 'EdDSA', form: 'message', answers: 3_000 },
  { algorithm: 'RS256', form: 'message', answers: 400 },
  { algorithm: 'RS384', form: 'message', answers: 100 },
  { algorithm: 'RS512', form: 'message', answers: 100 },
  { algorithm: 'PS256', form: 'message', answers: 200 },
  { algorithm: 'PS384', form: 'message', answers: 100 },
  { algorithm: 'PS512', form: 'message', answers: 100 },
  { algorithm: 'ES384', form: 'message', answers: 150 },
  { algorithm: 'ES512', form: 'message', answers: 150 },
  { algorithm: 'RS256', form: 'digest', answers: 300 },
  { algorithm: 'PS256', form: 'digest', answers: 200 },
  { algorithm: 'ES256', form: 'digest', answers: 150 },
  { algorithm: 'ES512', form: 'digest', answers: 50 },
]

/** https://www.itu.int/rec/T-REC-X.690: an INTEGER with no byte too many. */
function integer(unsigned: Buffer): Buffer {
  const first = unsigned.findIndex((byte) => byte !== 0)
  const bytes = first === -1 ? Buffer.of(0) : unsigned.subarray(first)
  return tagged(0x02, (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.of(0), bytes]))
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  const header = length < 0x80 ? [tag, length] : [tag, 0x81, length]
  return Buffer.concat([Buffer.from(header), content])
}

const sequence = (...parts: readonly Buffer[]) => tagged(0x30, Buffer.concat([...parts]))
const halves = (jose: Buffer) =>
  [jose.subarray(0, jose.length / 2), jose.subarray(jose.length / 2)] as const

/** A sequence of two integers, in forms that only a lax reader takes for the same. */
function otherDer(signature: Buffer) {
  const start = (signature[1] ?? 0) < 0x80 ? 2 : 3
  const content = signature.subarray(start)
  const rBytes = 2 + (content[1] ?? 0)
  const [r, s] = [content.subarray(0, rBytes), content.subarray(rBytes)]
  const padded = tagged(0x02, Buffer.concat([Buffer.of(0), r.subarray(2)]))
  const { length } = content
  const answers = {
    'DER with a long length': Buffer.concat([Buffer.of(0x30, 0x82, 0, length), content]),
    'DER of no length': Buffer.concat([Buffer.of(0x30, 0x80), content, Buffer.alloc(2)]),
    'DER with a padded integer': sequence(padded, s),
    'DER with a negative integer': sequence(tagged(0x02, Buffer.from([0xff, ...r.subarray(3)])), s),
    'DER with a third integer': sequence(r, s, integer(Buffer.of(1))),
    'DER with more behind': Buffer.concat([signature, integer(Buffer.of(1))]),
    'DER of one integer': sequence(r),
    'DER of a set': tagged(0x31, content),
  }
  return asWays(answers, (bytes) => ({ Signature: bytes.toString('base64') }))
}

function asWays<T>(values: Readonly<Record<string, T>>, part: (value: T) => object) {
  const entries = Object.entries(values)
  return Object.fromEntries(entries.map(([kind, value]) => [kind, () => ({ ...part(value) })]))
}

const algorithmNames = {
  'by an algorithm of another name': 'ECDSA_SHA_224',
  'by an algorithm of no name': undefined,
}

describeAltered({
  provider: 'AWS KMS',
  shares,
  open,
  alterNext: (change) => kms.next({ kind: 'alter', change }),
  wire: {
    signature: 'Signature',
    key: 'KeyId',
    alphabet: 'base64',
    encoded: (jose, row) => (row.kty === 'EC' ? sequence(...halves(jose).map(integer)) : jose),
    others: (row, signature) => ({
      ...asWays(algorithmNames, (SigningAlgorithm) => ({ SigningAlgorithm })),
      ...(row.kty === 'EC' ? otherDer(signature) : {}),
    }),
  },
})

test('there are ten thousand', () => {
  expect(shares.reduce((sum, { answers }) => sum + answers, 0)).toBeGreaterThanOrEqual(10_000)
})

/** What is no base64 text, the SDK itself does not take. */
test.each([[null], [42], [true], [['AAAA']], [{ value: 'AAAA' }], ['%%%%']])(
  'a signature of another type is not released: %j',
  async (Signature) => {
    const key = await open('ES256')
    kms.next({ kind: 'alter', change: (answer) => ({ ...answer, Signature }) })
    await expect(signMessage(key, Buffer.from('a message'), patience)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:signature_invalid|vault_unavailable)$/),
    })
  },
)

const macs = ['HS256', 'HS384', 'HS512'] as const

test.each(macs)(
  '%s: what can be told of a MAC is looked at: key, algorithm, length',
  async (name) => {
    const key = await open(name)
    const wrong = [
      { KeyId: someArn },
      { KeyId: undefined },
      { MacAlgorithm: 'HMAC_SHA_224' },
      { MacAlgorithm: undefined },
      { Mac: undefined },
      ...[0, 1, 20, 28, 31, 33, 47, 49, 63, 65, 128].map((length) => ({
        Mac: Buffer.alloc(length, 1).toString('base64'),
      })),
    ]
    const codes: unknown[] = []
    for (const part of wrong) {
      kms.next({ kind: 'alter', change: (answer) => ({ ...answer, ...part }) })
      const asked = signMessage(key, Buffer.from('a message'), patience)
      codes.push(
        await asked.then(
          () => part,
          ({ code }: { code: unknown }) => code,
        ),
      )
    }
    expect(new Set(codes)).toEqual(new Set(['signature_invalid']))
  },
)

/** README's trust model says so: whose MAC it is, only whoever has the secret can tell. */
test.each(macs)(
  '%s: an altered MAC of the right length is released: nobody could tell',
  async (name) => {
    const key = await open(name)
    const Mac = Buffer.alloc(Number(name.slice(2)) / 8, 7)
    kms.next({ kind: 'alter', change: (answer) => ({ ...answer, Mac: Mac.toString('base64') }) })
    const released = await signMessage(key, Buffer.from('a message'), patience)
    expect(Buffer.from(released)).toEqual(Mac)
  },
)
