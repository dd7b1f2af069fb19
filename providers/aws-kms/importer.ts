import { createPublicKey, type KeyObject } from 'node:crypto'
import { ServiceError, toServiceError } from '../../src/errors.ts'
import type { Bytes } from '../../src/lib/bytes.ts'
import { algorithm, type AlgorithmName } from '../../src/signing/algorithms.ts'
import type {
  FoundImport,
  ImportRequest,
  KeyImporter,
  SecretLimits,
} from '../../src/signing/signer.ts'
import { newKeySpec } from './algorithms.ts'
import { type KmsClient, kmsClient } from './client.ts'
import type { AwsKmsConfig } from './config.ts'
import { type Consistency, seen, usual, visible } from './consistency.ts'
import { findByIntent } from './intents.ts'
import { createKey, type MakerSurroundings } from './new-key.ts'
import { parametersEveryMs } from './quota.ts'
import { wrapWithAes, wrapWithOaep } from './wrap.ts'

/**
 * From the key's own length to a block of the hash. No public page gives these numbers; an emulator that
 * follows the service has them:
 * https://github.com/localstack/localstack/blob/main/localstack-core/localstack/services/kms/models.py
 * What RFC 2104 §2 makes of a shorter or a longer secret lies between them in any case.
 */
const secretLimits: Readonly<Partial<Record<AlgorithmName, SecretLimits>>> = {
  HS256: { bytesMin: 32, bytesMax: 64 },
  HS384: { bytesMin: 48, bytesMax: 128 },
  HS512: { bytesMin: 64, bytesMax: 128 },
}

/** Room for P-521 under OAEP alone, which a smaller one has not. */
const wrappingKeyBits = 4096

/**
 * Takes keys that somebody else made: a KMS key of origin EXTERNAL for each, tagged with its intent and
 * its environment. The material is wrapped in this process for the vault's HSM alone, and never expires there.
 *
 * @throws {ServiceError} `config_invalid` for an environment that would have requests go elsewhere.
 */
export function awsImporter(
  config: AwsKmsConfig,
  surroundings: MakerSurroundings,
  consistency = usual,
): KeyImporter {
  const client = kmsClient(config, surroundings)
  return {
    refusal(name, modulusBits) {
      if (newKeySpec(name, modulusBits) !== undefined) return undefined
      return 'AWS KMS takes RSA keys of 2048, 3072 and 4096 bits'
    },

    secretLimits: (name) => secretLimits[name],

    async import(request, signal) {
      const { intentId, name, algorithm: algorithmName, material } = request
      const modulusBits = modulusBitsOf(material)
      const wanted = { intentId, name, algorithm: algorithmName, modulusBits }
      const kind = { origin: 'EXTERNAL', environment: surroundings.keysOf } as const
      const keyArn = await createKey(client, wanted, kind, signal)
      await fill(client, keyArn, request, consistency, signal)
      return keyArn
    },

    async find({ intentId }, signal, goOn) {
      const keyArns = await findByIntent(client, intentId, signal, goOn)
      const found = keyArns.map(async (keyArn): Promise<FoundImport> => {
        const { KeyMetadata } = await client.describeKey(keyArn, signal)
        const isEmpty = KeyMetadata?.KeyState === 'PendingImport'
        return {
          resource: keyArn,
          fill: isEmpty
            ? (request, signalOfFill) => fill(client, keyArn, request, consistency, signalOfFill)
            : undefined,
        }
      })
      return Promise.all(found)
    },

    settleMs: consistency.settleMs,
  }
}

/** The wrapping key is of this key alone, for a day; the vault takes no other material later. */
async function fill(
  client: KmsClient,
  keyArn: string,
  { algorithm: name, material }: ImportRequest,
  consistency: Consistency,
  signal: AbortSignal,
): Promise<void> {
  const row = algorithm(name)
  const WrappingAlgorithm = row.kty === 'RSA' ? 'RSA_AES_KEY_WRAP_SHA_256' : 'RSAES_OAEP_SHA_256'
  const asked = {
    KeyId: keyArn,
    WrappingAlgorithm,
    WrappingKeySpec: `RSA_${wrappingKeyBits}`,
  } as const
  const { ImportToken, PublicKey, KeyId } = await parametersOf(client, asked, consistency, signal)
  if (!ImportToken || !PublicKey || KeyId !== keyArn) {
    throw new ServiceError('vault_unavailable', 'The vault gives nothing to wrap the key with')
  }
  const wrap = row.kty === 'RSA' ? wrapWithAes : wrapWithOaep
  const EncryptedKeyMaterial = wrapped(material, (bytes) => wrap(wrappingKey(PublicKey), bytes))
  const sent = { KeyId: keyArn, ImportToken, EncryptedKeyMaterial } as const
  const ExpirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE' // the default is that it does
  await client.importKeyMaterial({ ...sent, ExpirationModel }, signal)
  await visible(client, keyArn, row, consistency, signal)
}

const parametersAsksMax = 3

/** Two such pauses leave 4 of the 20 seconds that an upload has for its requests. */
const parametersWaitMsMax = 8_000

type ParametersAsked = Parameters<KmsClient['getParametersForImport']>[0] & {
  readonly KeyId: string
}

/**
 * An account may ask for them so seldom that it asks for a key which is there, and waits for its turn: not for
 * one that comes too late. The error has its time, then, and the next run fills the key.
 */
async function parametersOf(
  client: KmsClient,
  asked: ParametersAsked,
  consistency: Consistency,
  signal: AbortSignal,
) {
  await seen(consistency, signal, () => client.describeKey(asked.KeyId, signal))
  for (let asks = 1; ; asks += 1) {
    try {
      return await client.getParametersForImport(asked, signal)
    } catch (error) {
      const { code, details } = toServiceError(error)
      const isFleeting = code === 'vault_throttled' || code === 'vault_key_unusable'
      const waitMs = Math.max(parametersEveryMs, details.retryAfterMs ?? 0)
      const isLate = waitMs > parametersWaitMsMax
      if (!isFleeting || isLate || asks === parametersAsksMax) throw error
      await consistency.wait(waitMs, signal)
    }
  }
}

/** Out of the `KeyObject` only to be wrapped, and zeroed after that. PKCS#8 DER, or the secret itself. */
function wrapped(material: KeyObject, wrap: (bytes: Bytes) => Bytes): Bytes {
  const bytes =
    material.type === 'secret'
      ? material.export()
      : material.export({ type: 'pkcs8', format: 'der' })
  try {
    return wrap(bytes)
  } finally {
    bytes.fill(0)
  }
}

/** @throws {ServiceError} `vault_unavailable` for what is no RSA-4096 key: nothing is wrapped with it. */
function wrappingKey(der: Uint8Array): KeyObject {
  try {
    const key = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })
    const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
    if (modulusLength === wrappingKeyBits) return key
    throw new TypeError(`a wrapping key of ${modulusLength} bits`)
  } catch (cause) {
    const words = 'The vault’s wrapping key is not what was asked for'
    throw new ServiceError('vault_unavailable', words, { cause })
  }
}

function modulusBitsOf({ asymmetricKeyDetails }: KeyObject): number | undefined {
  return asymmetricKeyDetails?.modulusLength
}
