import { once } from 'node:events'
import { createServer } from 'node:https'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openAwsVault } from '../../../providers/aws-kms/signer.ts'
import { ServiceError } from '../../../src/errors.ts'
import { utf8 } from '../../../src/lib/bytes.ts'
import { lingeringMax } from '../../../src/lib/lingering.ts'
import { algorithm, algorithmNames, type AlgorithmName } from '../../../src/signing/algorithms.ts'
import { publicKeyFromSpki } from '../../../src/signing/public-key.ts'
import { signMessage } from '../../../src/signing/sign.ts'
import type { Signer } from '../../../src/signing/signer.ts'
import {
  awsConfig,
  awsEnvironment,
  awsVault,
  bareSurroundings,
  heldKey,
  someArn,
} from '../../support/aws-vault.ts'
import { selfSigned } from '../../support/certificate.ts'
import { fakeKms, type FakeKms } from '../../support/fake-kms.ts'
import type { Fault } from '../../support/fake-kms/fault.ts'
import { freePort } from '../../support/free-port.ts'
import { deadlineWhen } from '../../support/late.ts'

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

/** One of each family, for what does not depend on the hash. */
const families: readonly AlgorithmName[] = ['RS256', 'PS384', 'ES512', 'EdDSA', 'HS256']

async function opened(name: AlgorithmName, part = {}) {
  const key = heldKey(kms, name)
  const signer = await awsVault(kms, part).open({ resource: key.arn, algorithm: name }, signal)
  const spki = await signer.publicKey(signal)
  return { key, signer, sign: signing(name, signer, spki) }
}

function signing(name: AlgorithmName, signer: Signer, spki: Uint8Array | undefined) {
  const publicKey = spki && publicKeyFromSpki(spki)
  const signingKey = { signer, algorithm: algorithm(name), publicKey }
  return (until = signal) => signMessage(signingKey, utf8('a message'), until)
}

/** @returns the code; the message is looked at whatever it is. */
async function codeOf(asked: Promise<unknown>): Promise<string> {
  const error = await asked.then(
    () => new Error('nothing was refused'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof ServiceError)) throw error
  expect(kms.internals.filter((text) => error.message.includes(text))).toEqual([])
  expect(error.message).not.toContain(account)
  return error.code
}
const account = someArn.split(':')[4] ?? ''

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
const states = [
  'Disabled',
  'PendingDeletion',
  'PendingImport',
  'PendingReplicaDeletion',
  'Unavailable',
  'Creating',
] as const

describe.each(algorithmNames)('[C12] %s', (name) => {
  test.each(states)('of a key that becomes %s signs no more: vault_key_unusable', async (state) => {
    const { key, sign } = await opened(name)
    key.state = state
    expect(await codeOf(sign())).toBe('vault_key_unusable')
  })

  test.each(states)('of a key that is %s is not opened: vault_key_unusable', async (state) => {
    const { key } = await opened(name)
    key.state = state
    const opening = awsVault(kms).open({ resource: key.arn, algorithm: name }, signal)
    expect(await codeOf(opening)).toBe('vault_key_unusable')
  })
})

/** What a vault that errs makes of an answer, for Sign and GenerateMac alike. */
const altered = (part: Readonly<Record<string, unknown>>): Fault => ({
  kind: 'alter',
  change: (answer) => ({ ...answer, ...part }),
})

const faults: readonly (readonly [what: string, fault: Fault, code: string])[] = [
  ['throttling', { kind: 'throttle', retryAfterSeconds: 3_600 }, 'vault_throttled'],
  ['a proxy’s HTML 502', { kind: 'html', status: 502 }, 'vault_unavailable'],
  ['a proxy’s HTML 503', { kind: 'html', status: 503 }, 'vault_unavailable'],
  ['a proxy’s HTML 200', { kind: 'html', status: 200 }, 'vault_unavailable'],
  ['JSON that breaks off', { kind: 'broken-json' }, 'vault_unavailable'],
  ['a reset', { kind: 'reset' }, 'vault_unavailable'],
  ['a lost reply', { kind: 'lost-reply' }, 'vault_unavailable'],
  ['another key’s answer', altered({ KeyId: someArn }), 'signature_invalid'],
  ['an answer without a key', altered({ KeyId: undefined }), 'signature_invalid'],
  [
    'another algorithm’s answer',
    altered({ SigningAlgorithm: 'ECDSA_SHA_224', MacAlgorithm: 'HMAC_SHA_224' }),
    'signature_invalid',
  ],
  [
    'an answer without a signature',
    altered({ Signature: undefined, Mac: undefined }),
    'signature_invalid',
  ],
  ['an empty signature', altered({ Signature: '', Mac: '' }), 'signature_invalid'],
]

describe.each(families)('[C9] [C11] %s', (name) => {
  test.each(faults)('meets %s: %o is %s, after one request', async (_, fault, code) => {
    const { sign } = await opened(name)
    const before = kms.requests.length
    kms.next(fault)
    expect(await codeOf(sign())).toBe(code)
    expect(kms.requests.length).toBe(before + 1)
    expect(await sign()).not.toHaveLength(0)
  })
})

const held = ['silence', 'headers-only', 'trickle'] as const

const asked = () => kms.count('Sign', 'GenerateMac')

describe.each(families)('[C10] %s', (name) => {
  test.each(held)(
    'meets %s: it ends at its deadline, and its only connection is free',
    async (kind) => {
      const { sign } = await opened(name, { concurrency: 1 })
      const before = asked()
      kms.next({ kind })
      const late = deadlineWhen(() => asked() > before)
      expect(await codeOf(sign(late))).toBe('deadline_exceeded')
      expect(await sign()).not.toHaveLength(0)
    },
  )

  test('meets a full pool: what waits for a connection ends at its deadline, too', async () => {
    const { sign } = await opened(name, { concurrency: 1 })
    const connections = 1 + lingeringMax(1)
    const before = asked()
    kms.next({ kind: 'silence' }, { times: connections })
    const late = deadlineWhen(() => asked() === before + connections)
    const all = Array.from({ length: connections + 1 }, () => codeOf(sign(late)))
    expect(new Set(await Promise.all(all))).toEqual(new Set(['deadline_exceeded']))
    expect(await sign()).not.toHaveLength(0)
  })
})

/** What KMS or AWS in front of it may answer to a signing request, and what it is to us. */
const errors = {
  AccessDeniedException: 'vault_denied',
  NotAuthorized: 'vault_denied',
  OptInRequired: 'vault_denied',
  UnrecognizedClientException: 'vault_denied',
  InvalidClientTokenId: 'vault_denied',
  InvalidSignatureException: 'vault_denied',
  SignatureDoesNotMatch: 'vault_denied',
  IncompleteSignature: 'vault_denied',
  MissingAuthenticationToken: 'vault_denied',
  ExpiredTokenException: 'vault_denied',
  RequestExpired: 'vault_denied',
  LimitExceededException: 'vault_denied',
  ThrottlingException: 'vault_throttled',
  Throttling: 'vault_throttled',
  TooManyRequestsException: 'vault_throttled',
  RequestLimitExceeded: 'vault_throttled',
  NotFoundException: 'vault_key_unusable',
  InvalidArnException: 'vault_key_unusable',
  DisabledException: 'vault_key_unusable',
  KMSInvalidStateException: 'vault_key_unusable',
  InvalidKeyUsageException: 'vault_key_unusable',
  UnsupportedOperationException: 'vault_key_unusable',
  ValidationException: 'vault_key_unusable',
  KeyUnavailableException: 'vault_unavailable',
  DependencyTimeoutException: 'vault_unavailable',
  KMSInternalException: 'vault_unavailable',
  InternalFailure: 'vault_unavailable',
  ServiceUnavailable: 'vault_unavailable',
  InvalidGrantTokenException: 'vault_unavailable',
  toString: 'vault_unavailable',
  SomethingNewException: 'vault_unavailable',
} as const

test.each(Object.entries(errors))('[C11] %s is %s', async (type, code) => {
  const { key, sign } = await opened('ES256')
  for (const status of [400, 500]) {
    kms.next({ kind: 'error', type, status }, { times: 2 })
    expect(await codeOf(sign())).toBe(code)
    const opening = awsVault(kms).open({ resource: key.arn, algorithm: 'ES256' }, signal)
    expect(await codeOf(opening)).toBe(code)
  }
})

test('a key of another account is denied, not missing', async () => {
  const resource = someArn.replace(account, '444455556666')
  const opening = awsVault(kms).open({ resource, algorithm: 'ES256' }, signal)
  expect(await codeOf(opening)).toBe('vault_denied')
})

test.each([
  [7, 7_000],
  [3_600, undefined],
])('throttling for %i s is told as %s ms: an hour is not a vault’s', async (seconds, ms) => {
  const { sign } = await opened('ES256')
  kms.next({ kind: 'throttle', retryAfterSeconds: seconds })
  const failed: unknown = await sign().catch((error: unknown) => error)
  expect(failed).toMatchObject({ code: 'vault_throttled' })
  expect(failed).toHaveProperty('details', ms === undefined ? {} : { retryAfterMs: ms })
})

test.each([
  ['operator', ': allow kms:DescribeKey', ': allow kms:Sign'],
  ['caller', '', ''],
] as const)('an %s is told this of what is denied: "%s", "%s"', async (reader, opens, signs) => {
  const { arn: resource } = heldKey(kms, 'ES256')
  const vault = openAwsVault(awsConfig({ endpoint: kms.endpoint }), { ...bareSurroundings, reader })
  const signer = await vault.open({ resource, algorithm: 'ES256' }, signal)
  const sign = signing('ES256', signer, await signer.publicKey(signal))
  const denied = (rest: string) => ({
    code: 'vault_denied',
    message: `The vault denied the request${rest}`,
    cause: expect.objectContaining({ name: 'AccessDeniedException' }),
  })
  kms.world.denied.add('Sign').add('DescribeKey')
  try {
    await expect(sign()).rejects.toMatchObject(denied(signs))
    const opening = vault.open({ resource, algorithm: 'ES256' }, signal)
    await expect(opening).rejects.toMatchObject(denied(opens))
  } finally {
    kms.world.denied.clear()
  }
})

test('a certificate that nobody vouches for: vault_unavailable', async () => {
  const { certificate: cert, key } = selfSigned()
  const server = createServer({ cert, key })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const endpoint = `https://127.0.0.1:${port}`
  const opening = awsVault({ endpoint }).open({ resource: someArn, algorithm: 'ES256' }, signal)
  expect(await codeOf(opening)).toBe('vault_unavailable')
  server.close()
  server.closeAllConnections()
})

test('nobody listens, or nobody is there: vault_unavailable', async () => {
  const gone = { endpoint: `http://127.0.0.1:${await freePort()}` }
  const nobody = { endpoint: 'https://kms.invalid', trustEndpoint: true }
  for (const at of [gone, nobody]) {
    const opening = awsVault(at, at).open({ resource: someArn, algorithm: 'ES256' }, signal)
    expect(await codeOf(opening)).toBe('vault_unavailable')
  }
})
