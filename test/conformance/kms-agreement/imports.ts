import {
  type AlgorithmSpec,
  GetParametersForImportCommand,
  GetPublicKeyCommand,
  ImportKeyMaterialCommand,
  type ImportKeyMaterialCommandInput,
  type KeySpec,
} from '@aws-sdk/client-kms'
import {
  constants,
  createCipheriv,
  createHmac,
  createPublicKey,
  type KeyObject,
  publicEncrypt,
  randomBytes,
  sign,
} from 'node:crypto'
import { memoryKey } from '../../support/memory-key.ts'
import { publicKeyOf } from '../verifiers.ts'
import { type AgreementRow, type AskedKms, bytesOf, message, taken } from './asked.ts'

const oaep = 'RSAES_OAEP_SHA_256'
const kwp = 'RSA_AES_KEY_WRAP_SHA_256'

const empty = (kms: AskedKms, spec: KeySpec) => kms.newKey(spec, { Origin: 'EXTERNAL' })

/** RSA-2048 wraps all that is asked here: larger ones take an emulator seconds to make. */
function parameters({ sdk }: AskedKms, KeyId: string, WrappingAlgorithm: AlgorithmSpec) {
  const asked = { KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_2048' } as const
  return sdk.send(new GetParametersForImportCommand(asked))
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-encrypt-key-material.html */
function wrapped(PublicKey: Buffer, by: AlgorithmSpec, material: Buffer): Buffer {
  const options = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
  const key = createPublicKey({ key: PublicKey, format: 'der', type: 'spki' })
  if (by === oaep) return publicEncrypt({ key, ...options }, material)
  const kek = randomBytes(32)
  const cipher = createCipheriv('id-aes256-wrap-pad', kek, Buffer.from('a65959a6', 'hex'))
  const inner = [cipher.update(material), cipher.final()]
  return Buffer.concat([publicEncrypt({ key, ...options }, kek), ...inner])
}

type Part = Partial<ImportKeyMaterialCommandInput>

async function imported(
  kms: AskedKms,
  KeyId: string,
  by: AlgorithmSpec,
  secret: KeyObject,
  part: Part = {},
) {
  const { ImportToken, PublicKey } = await parameters(kms, KeyId, by)
  const bytes =
    secret.type === 'secret' ? secret.export() : secret.export({ type: 'pkcs8', format: 'der' })
  const EncryptedKeyMaterial = wrapped(bytesOf(PublicKey), by, bytes)
  const ExpirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE'
  const asked = { KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel, ...part } as const
  return kms.sdk.send(new ImportKeyMaterialCommand(asked))
}

const same = 'the source key'
const p256 = memoryKey('ES256').secret
const p256Other = memoryKey('ES256', 'other').secret
const rsa2048 = memoryKey('RS256').secret

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html */
export const imports: readonly AgreementRow[] = [
  {
    asked: 'RSA, wrapped by AES: its public key and a signature',
    async ask(kms) {
      const arn = await empty(kms, 'RSA_2048')
      await imported(kms, arn, kwp, rsa2048)
      const SigningAlgorithm = 'RSASSA_PKCS1_V1_5_SHA_256'
      const { Signature } = await kms.sign(arn, { SigningAlgorithm })
      const isSame = bytesOf(Signature).equals(sign('sha256', message, rsa2048))
      return isSame && (await hasKeyOf(kms, arn, rsa2048)) ? same : 'another key'
    },
    real: same,
  },
  ...([oaep, kwp] as const).map((by) => ({
    asked: `P-256, wrapped by ${by}: its public key`,
    async ask(kms: AskedKms) {
      const arn = await empty(kms, 'ECC_NIST_P256')
      await imported(kms, arn, by, p256)
      return (await hasKeyOf(kms, arn, p256)) ? same : 'another key'
    },
    real: same,
  })),
  {
    asked: 'a secret, wrapped by OAEP: a MAC',
    async ask(kms) {
      const arn = await empty(kms, 'HMAC_512')
      const { secret } = memoryKey('HS512')
      await imported(kms, arn, oaep, secret)
      const { Mac } = await kms.mac(arn, { MacAlgorithm: 'HMAC_SHA_512' })
      const expected = createHmac('sha512', secret).update(message).digest()
      return bytesOf(Mac).equals(expected) ? same : 'another key'
    },
    real: same,
  },
  {
    asked: 'a signature before there is material',
    ask: async (kms) => taken(kms.sign(await empty(kms, 'ECC_NIST_P256'))),
    real: 'KMSInvalidStateException',
    localStack: 'taken', // it has made a hidden key
  },
  {
    asked: 'the state of a key with its material',
    async ask(kms) {
      const arn = await empty(kms, 'ECC_NIST_P256')
      await imported(kms, arn, oaep, p256)
      return kms.state(arn)
    },
    real: 'Enabled',
  },
  wrapping('RSA_2048', oaep, 'UnsupportedOperationException', 'taken'),
  wrapping('HMAC_256', kwp, 'UnsupportedOperationException', 'taken'),
  wrapping('ECC_NIST_P521', oaep, 'UnsupportedOperationException', 'taken'),
  wrapping('ECC_NIST_P521', kwp, 'taken'),
  {
    asked: 'parameters for a key that the vault made',
    ask: async (kms) => taken(parameters(kms, await kms.key('ECC_NIST_P256'), oaep)),
    real: 'UnsupportedOperationException',
  },
  notTaken('garbage', 'InvalidCiphertextException', 'InternalError', {
    EncryptedKeyMaterial: new Uint8Array(256),
  }),
  notTaken('another token', 'InvalidImportTokenException', 'NotFoundException', {
    ImportToken: new Uint8Array(32),
  }),
  notTaken('no word of expiry', 'ValidationException', undefined, { ExpirationModel: undefined }),
  notTaken('material that expires, and no time', 'ValidationException', undefined, {
    ExpirationModel: 'KEY_MATERIAL_EXPIRES',
  }),
  {
    asked: 'a P-256 key into one of RSA',
    ask: async (kms) => taken(imported(kms, await empty(kms, 'RSA_2048'), kwp, p256)),
    real: 'IncorrectKeyMaterialException',
    localStack: 'taken',
  },
  {
    asked: 'other material later',
    async ask(kms) {
      const arn = await empty(kms, 'ECC_NIST_P256')
      await imported(kms, arn, oaep, p256)
      return taken(imported(kms, arn, oaep, p256Other))
    },
    real: 'IncorrectKeyMaterialException',
    localStack: 'taken',
  },
  {
    asked: 'the same material later',
    async ask(kms) {
      const arn = await empty(kms, 'ECC_NIST_P256')
      await imported(kms, arn, oaep, p256)
      return taken(imported(kms, arn, oaep, p256))
    },
    real: 'taken',
  },
]

async function hasKeyOf({ sdk }: AskedKms, KeyId: string, secret: KeyObject): Promise<boolean> {
  const { PublicKey } = await sdk.send(new GetPublicKeyCommand({ KeyId }))
  return publicKeyOf(bytesOf(PublicKey)).equals(createPublicKey(secret))
}

function wrapping(
  spec: KeySpec,
  by: AlgorithmSpec,
  real: string,
  localStack?: string,
): AgreementRow {
  return {
    asked: `${spec} to be wrapped by ${by} under RSA_2048`,
    ask: async (kms) => taken(parameters(kms, await empty(kms, spec), by)),
    real,
    ...(localStack === undefined ? {} : { localStack }),
  }
}

function notTaken(
  asked: string,
  real: string,
  localStack: string | undefined,
  part: Part,
): AgreementRow {
  return {
    asked: `import of ${asked}`,
    ask: async (kms) => taken(imported(kms, await empty(kms, 'ECC_NIST_P256'), oaep, p256, part)),
    real,
    ...(localStack === undefined ? {} : { localStack }),
  }
}
