import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { algorithm, algorithmNames, type AlgorithmName } from '../../src/signing/algorithms.ts'
import type { Vault } from '../../src/signing/signer.ts'
import {
  type Came,
  describeFaults,
  type FaultRow,
  type FaultWorld,
} from '../conformance/fault-suite.ts'
import { awsEnvironment, awsVault, heldKey, someArn } from '../support/aws-vault.ts'
import { fakeKms, type FakeKms } from '../support/fake-kms.ts'
import type { Fault } from '../support/fake-kms/fault.ts'
import type { FakeKey } from '../support/fake-kms/keys.ts'
import { patience } from '../support/signing-service.ts'

let kms: FakeKms
let vault: Vault

beforeAll(async () => {
  for (const [name, value] of Object.entries(awsEnvironment)) vi.stubEnv(name, value)
  kms = await fakeKms()
  vault = awsVault(kms)
})
afterAll(async () => {
  await kms[Symbol.asyncDispose]()
  vi.unstubAllEnvs()
})

type World = FaultWorld & { readonly key: FakeKey }
type Row = FaultRow<World>

const signing = (name: AlgorithmName) => (algorithm(name).kty === 'oct' ? 'GenerateMac' : 'Sign')

async function world(name: AlgorithmName): Promise<World> {
  const key = heldKey(kms, name)
  const untouched = { ...key }
  return {
    key,
    signer: await vault.open({ resource: key.arn, algorithm: name }, patience),
    mend: () => void Object.assign(key, untouched),
    tries: () => kms.count('Sign', 'GenerateMac'),
    internals: [...kms.internals, 'aws', 'AWS', 'KMS', 'proxy', 'html', 'secret-name'],
  }
}

/** One of each family, for what does not depend on the hash. */
const families: readonly AlgorithmName[] = ['RS256', 'PS384', 'ES512', 'EdDSA', 'HS256']

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
const states = [
  'Disabled',
  'PendingDeletion',
  'PendingImport',
  'PendingReplicaDeletion',
  'Unavailable',
  'Creating',
] as const

const once = { status: 503, tries: 1 } as const
const twice = { status: 503, retryAfter: '1', tries: 2 } as const
const unusable = { ...once, code: 'vault_key_unusable' } as const
const denied = { ...once, code: 'vault_denied' } as const
const throttled = { ...twice, code: 'vault_throttled' } as const
const unavailable = { ...twice, code: 'vault_unavailable' } as const
const invalid = { status: 502, tries: 1, code: 'signature_invalid' } as const
const healed = { status: 200, tries: 2 } as const
const late = { status: 504, code: 'deadline_exceeded' } as const

const error = (type: string, status = 400): Fault => ({ kind: 'error', type, status })
const altered = (part: Readonly<Record<string, unknown>>): Fault => ({
  kind: 'alter',
  change: (answer) => ({ ...answer, ...part }),
})
const throttle: Fault = { kind: 'throttle', retryAfterSeconds: 3_600 }
const otherAlgorithm = { SigningAlgorithm: 'ECDSA_SHA_224', MacAlgorithm: 'HMAC_SHA_224' }

/** What another try could mend, and which is there a second time. */
const passing: readonly (readonly [what: string, fault: Fault, came: Came])[] = [
  ['throttled', throttle, throttled],
  ['too many requests', error('TooManyRequestsException'), throttled],
  ['a proxy’s HTML 502', { kind: 'html', status: 502 }, unavailable],
  ['a proxy’s HTML 503', { kind: 'html', status: 503 }, unavailable],
  ['a proxy’s HTML 200', { kind: 'html', status: 200 }, unavailable],
  ['JSON that breaks off', { kind: 'broken-json' }, unavailable],
  ['a reset', { kind: 'reset' }, unavailable],
  ['a lost reply', { kind: 'lost-reply' }, unavailable],
  ['a fault of its own', error('KMSInternalException', 500), unavailable],
  ['an error that nobody knows', error('SomethingNewException'), unavailable],
]

/** Those of them that leave the key time to become another. */
const meanwhile = passing.filter(([, { kind }]) => ['throttle', 'html', 'reset'].includes(kind))

/** What the vault takes no more: another try comes with others, which their source has. */
const ended: readonly (readonly [what: string, fault: Fault])[] = [
  ['expired credentials', error('ExpiredTokenException')],
  ['credentials that nobody knows', error('UnrecognizedClientException', 403)],
]

/** What another try would answer the same. */
const lasting: readonly (readonly [what: string, fault: Fault, came: Came])[] = [
  ['no permission', error('AccessDeniedException'), denied],
  ['a clock that is wrong', error('InvalidSignatureException'), denied],
  ['a key that is gone', error('NotFoundException'), unusable],
  ['a key for something else', error('InvalidKeyUsageException'), unusable],
  ['another key’s answer', altered({ KeyId: someArn }), invalid],
  ['an answer without a key', altered({ KeyId: undefined }), invalid],
  ['another algorithm’s answer', altered(otherAlgorithm), invalid],
  ['no signature', altered({ Signature: undefined, Mac: undefined }), invalid],
  ['an empty signature', altered({ Signature: '', Mac: '' }), invalid],
]

const held = ['silence', 'headers-only', 'trickle'] as const

const inStates: readonly Row[] = algorithmNames.flatMap((name) =>
  states.map((state) => ({
    algorithm: name,
    what: `the key is ${state}`,
    arrange: ({ key }: World) => void (key.state = state),
    came: unusable,
  })),
)

/** KMS says the same of a key of another usage and of one of another algorithm. */
const forSomethingElse: readonly Row[] = algorithmNames.map((name) => ({
  algorithm: name,
  what: 'the key is not for this algorithm',
  arrange: ({ key }: World) => void (key.usage = 'KEY_AGREEMENT'),
  came: unusable,
}))

const withFaults: readonly Row[] = families.flatMap((name) => {
  const next = (fault: Fault, times: number) => kms.next(fault, { action: signing(name), times })
  const row = (what: string, came: Came, arrange: Row['arrange']): Row => ({
    algorithm: name,
    what,
    came,
    arrange,
  })
  return [
    ...passing.map(([what, fault, came]) => row(`${what}, twice`, came, () => next(fault, 2))),
    ...passing.map(([what, fault]) => row(`${what}, once`, healed, () => next(fault, 1))),
    ...ended.map(([what, fault]) => row(what, healed, () => next(fault, 1))),
    ...lasting.map(([what, fault, came]) => row(what, came, () => next(fault, 1))),
    ...meanwhile.flatMap(([what, fault]) =>
      (['Disabled', 'PendingDeletion'] as const).map((state) =>
        row(`${what}, and then the key is ${state}`, { ...unusable, tries: 2 }, ({ key }) => {
          next(fault, 1)
          key.state = state
        }),
      ),
    ),
    ...held.map((kind) => row(kind, { ...late, tries: 1 }, () => next({ kind }, 1))),
    ...held.map((kind) =>
      row(`a reset, and then ${kind}`, { ...late, tries: 2 }, () => {
        next({ kind: 'reset' }, 1)
        next({ kind }, 1)
      }),
    ),
  ]
})

const rows = [...inStates, ...forSomethingElse, ...withFaults]

describeFaults({ provider: 'AWS KMS', rows, world })

test('no row asks for more than two tries, and there are rows enough', () => {
  expect(rows.filter(({ came }) => came.tries > 2)).toEqual([])
  expect(rows.length).toBeGreaterThanOrEqual(60)
})
