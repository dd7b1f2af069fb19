import {
  GetPublicKeyCommand,
  type GetPublicKeyCommandOutput,
  KMSClient,
  ListKeysCommand,
  type SignCommandInput,
} from '@aws-sdk/client-kms'
import { hash } from 'node:crypto'
import { awsAlgorithms, newKeySpec } from '../../../providers/aws-kms/algorithms.ts'
import { algorithm, type AlgorithmName } from '../../../src/signing/algorithms.ts'
import { derToJose } from '../../../src/signing/ecdsa.ts'
import { someArn } from '../../support/aws-vault.ts'
import { account, region } from '../../support/fake-kms/keys.ts'
import { publicAlgorithmNames } from '../../support/memory-key.ts'
import { nodeVerifies, publicKeyOf } from '../verifiers.ts'
import { type AgreementRow, type AskedKms, bytesOf, message, taken } from './asked.ts'

type PublicName = (typeof publicAlgorithmNames)[number]
type MacName = 'HS256' | 'HS384' | 'HS512'

const signed = 'a signature of the message, by the key that was named'

function specOf(name: AlgorithmName) {
  const spec = newKeySpec(name, algorithm(name).kty === 'RSA' ? 2048 : undefined)
  if (spec === undefined) throw new Error(`no key of KMS signs ${name}`)
  return spec
}

/** LocalStack has no such key. */
const noEd25519 = { localStack: 'ValidationException' }

function signing(name: PublicName, MessageType: 'RAW' | 'DIGEST'): AgreementRow {
  return {
    asked: `${name} over ${MessageType}`,
    ask: (kms) => signature(kms, name, MessageType),
    real: signed,
    ...(name === 'EdDSA' ? noEd25519 : {}),
  }
}

async function signature(kms: AskedKms, name: PublicName, MessageType: 'RAW' | 'DIGEST') {
  const row = algorithm(name)
  const arn = await kms.key(specOf(name))
  if (row.kty === 'oct') throw new Error('an HMAC key signs nothing')
  const isDigest = MessageType === 'DIGEST' && row.kty !== 'OKP'
  const Message = isDigest ? hash(row.hash, message, 'buffer') : message
  const SigningAlgorithm = awsAlgorithms[name].name
  const answer = await kms.sign(arn, { Message, MessageType, SigningAlgorithm })
  const { PublicKey } = await kms.sdk.send(new GetPublicKeyCommand({ KeyId: arn }))
  const given = bytesOf(answer.Signature)
  const jose = row.kty === 'EC' ? derToJose(given, row) : given
  const isGenuine = nodeVerifies(publicKeyOf(bytesOf(PublicKey)), row, message, jose)
  const isOfTheKey = answer.KeyId === arn && answer.SigningAlgorithm === SigningAlgorithm
  return isGenuine && isOfTheKey ? signed : 'something else'
}

function showing(name: PublicName): AgreementRow {
  return {
    asked: `the public key of ${name}`,
    async ask(kms) {
      const arn = await kms.key(specOf(name))
      const answer = await kms.sdk.send(new GetPublicKeyCommand({ KeyId: arn }))
      return answer.KeyId === arn ? wordsOf(answer) : 'another key’s'
    },
    real: publicKeyWords[name],
    ...(name === 'EdDSA' ? noEd25519 : {}),
  }
}

function wordsOf({ PublicKey, KeySpec, KeyUsage, SigningAlgorithms }: GetPublicKeyCommandOutput) {
  const key = publicKeyOf(bytesOf(PublicKey))
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {}
  const kind = modulusLength ?? namedCurve ?? key.asymmetricKeyType
  return `${kind}: ${KeySpec} ${KeyUsage} ${SigningAlgorithms?.toSorted().join(' ')}`
}

const rsa =
  '2048: RSA_2048 SIGN_VERIFY RSASSA_PKCS1_V1_5_SHA_256 RSASSA_PKCS1_V1_5_SHA_384 RSASSA_PKCS1_V1_5_SHA_512 RSASSA_PSS_SHA_256 RSASSA_PSS_SHA_384 RSASSA_PSS_SHA_512'

/** https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html */
const publicKeyWords: Readonly<Record<PublicName, string>> = {
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  ES256: 'prime256v1: ECC_NIST_P256 SIGN_VERIFY ECDSA_SHA_256',
  ES384: 'secp384r1: ECC_NIST_P384 SIGN_VERIFY ECDSA_SHA_384',
  ES512: 'secp521r1: ECC_NIST_P521 SIGN_VERIFY ECDSA_SHA_512',
  EdDSA: 'ed25519: ECC_NIST_EDWARDS25519 SIGN_VERIFY ED25519_PH_SHA_512 ED25519_SHA_512',
}

function macing(name: MacName): AgreementRow {
  const row = algorithm(name)
  const MacAlgorithm = awsAlgorithms[name].name
  const bytes = Number(name.slice(2)) / 8
  return {
    asked: `${name}, twice`,
    async ask(kms) {
      const arn = await kms.key(specOf(name))
      const one = await kms.mac(arn, { MacAlgorithm })
      const again = await kms.mac(arn, { MacAlgorithm })
      const isOne = bytesOf(one.Mac).equals(bytesOf(again.Mac)) && one.KeyId === arn
      return `${isOne ? 'one MAC' : 'two MACs'} of ${bytesOf(one.Mac).length} bytes, ${row.name}`
    },
    real: `one MAC of ${bytes} bytes, ${name}`,
  }
}

/** Whether a MAC is known again by the vault that made it; `change` is what becomes of it on the way. */
function verifying(asked: string, change: (mac: Buffer) => Buffer, real: string): AgreementRow {
  return {
    asked: `whether it made ${asked}`,
    async ask(kms) {
      const arn = await kms.key('HMAC_256')
      const Mac = change(bytesOf((await kms.mac(arn)).Mac))
      const { MacValid, KeyId } = await kms.verifyMac(arn, { Mac })
      return MacValid === true && KeyId === arn ? known : 'no answer'
    },
    real,
  }
}

const known = 'it made it'
const flipped = ([first = 0, ...rest]: Buffer) => Buffer.of(first ^ 1, ...rest)

/** What is signed, and verifies with the public key that the same vault shows. */
export const signatures: readonly AgreementRow[] = [
  ...publicAlgorithmNames.flatMap((name) => [
    signing(name, 'RAW'),
    ...(name === 'EdDSA' ? [] : [signing(name, 'DIGEST')]),
  ]),
  ...publicAlgorithmNames.map(showing),
  ...(['HS256', 'HS384', 'HS512'] as const).map(macing),
  verifying('a MAC of its own', (mac) => mac, known),
  verifying('a MAC with another bit', flipped, 'KMSInvalidMacException'),
  verifying('a MAC that is cut', (mac) => mac.subarray(1), 'KMSInvalidMacException'),
]

const rs256 = { SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256' } as const
const otherRegion = someArn.replace(region, 'us-east-1')
const otherAccount = someArn.replace(account, '444455556666')

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html#API_Sign_Errors */
export const refusedSignatures: readonly AgreementRow[] = [
  refused('31 bytes of digest', 'ValidationException', undefined, {
    Message: new Uint8Array(31),
    MessageType: 'DIGEST',
  }),
  refused('4,096 bytes', 'signed', undefined, { Message: new Uint8Array(4_096) }),
  refused('4,097 bytes', 'ValidationException', 'signed', { Message: new Uint8Array(4_097) }),
  refused('no byte', 'ValidationException', 'signed', { Message: new Uint8Array() }),
  refused('no algorithm', 'ValidationException', 'InternalError', { SigningAlgorithm: undefined }),
  refused('RS256 of an EC key', 'InvalidKeyUsageException', 'InternalError', rs256),
  refused('ES384 of a P-256 key', 'InvalidKeyUsageException', 'signed', {
    SigningAlgorithm: 'ECDSA_SHA_384',
  }),
  refused('a dry run', 'DryRunOperationException', 'signed', { DryRun: true }),
  refused('an unknown key', 'NotFoundException', undefined, { KeyId: someArn }),
  refused('an unknown alias', 'NotFoundException', undefined, { KeyId: 'alias/unknown' }),
  refused('no ARN', 'InvalidArnException', 'InternalError', { KeyId: 'arn:aws:kms:x' }),
  refused('another region’s key', 'NotFoundException', undefined, { KeyId: otherRegion }),
  refused('another account’s key', 'AccessDeniedException', 'NotFoundException', {
    KeyId: otherAccount,
  }),
  {
    asked: 'a signature of an HMAC key',
    ask: async (kms) => wasSigned(kms.sign(await kms.key('HMAC_256'))),
    real: 'InvalidKeyUsageException',
  },
  {
    asked: 'the public key of an HMAC key',
    async ask(kms) {
      const asked = new GetPublicKeyCommand({ KeyId: await kms.key('HMAC_256') })
      return (await kms.sdk.send(asked)).PublicKey ? 'shown' : 'nothing, and no refusal'
    },
    real: 'UnsupportedOperationException',
    localStack: 'nothing, and no refusal',
  },
  {
    asked: 'a MAC of an EC key',
    ask: async (kms) => wasSigned(kms.mac(await kms.key('ECC_NIST_P256'))),
    real: 'InvalidKeyUsageException',
  },
  {
    asked: 'HS512 of an HS256 key',
    ask: async (kms) =>
      wasSigned(kms.mac(await kms.key('HMAC_256'), { MacAlgorithm: 'HMAC_SHA_512' })),
    real: 'InvalidKeyUsageException',
  },
  tooShortOrLong(0, 'signed'),
  tooShortOrLong(4_097),
  {
    asked: 'a request that was signed with another secret',
    async ask({ endpoint }) {
      const credentials = { accessKeyId: account, secretAccessKey: 'another-secret' }
      const sdk = new KMSClient({ region, endpoint, maxAttempts: 1, credentials })
      return taken(sdk.send(new ListKeysCommand({})))
    },
    real: 'InvalidSignatureException',
    localStack: 'taken',
  },
  {
    asked: 'a request that nobody has signed',
    async ask({ endpoint }) {
      const headers = {
        'Content-Type': 'application/x-amz-json-1.1',
        'X-Amz-Target': 'TrentService.ListKeys',
      }
      const { status } = await fetch(endpoint, { method: 'POST', headers, body: '{}' })
      return String(status)
    },
    real: '400',
    localStack: '200',
  },
]

function refused(
  asked: string,
  real: string,
  localStack: string | undefined,
  part: Partial<SignCommandInput>,
): AgreementRow {
  return {
    asked: `a signature over or by: ${asked}`,
    ask: async (kms) => wasSigned(kms.sign(await kms.key('ECC_NIST_P256'), part)),
    real,
    ...(localStack === undefined ? {} : { localStack }),
  }
}

function tooShortOrLong(length: number, localStack?: string): AgreementRow {
  return {
    asked: `a MAC of ${length} bytes`,
    ask: async (kms) =>
      wasSigned(kms.mac(await kms.key('HMAC_256'), { Message: new Uint8Array(length) })),
    real: 'ValidationException',
    ...(localStack === undefined ? {} : { localStack }),
  }
}

async function wasSigned(asked: Promise<unknown>): Promise<string> {
  await asked
  return 'signed'
}
