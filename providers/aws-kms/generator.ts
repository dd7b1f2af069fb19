import { ServiceError, toServiceError } from '../../src/errors.ts'
import { pause } from '../../src/lib/deadline.ts'
import { algorithm, type Algorithm } from '../../src/signing/algorithms.ts'
import type { GenerateRequest, KeyGenerator } from '../../src/signing/signer.ts'
import { awsAlgorithms, newKeySpec } from './algorithms.ts'
import { type KmsClient, kmsClient, type KmsSurroundings } from './client.ts'
import type { AwsKmsConfig } from './config.ts'
import { findByIntent, intentTag } from './intents.ts'
import { inspect } from './inspector.ts'

/**
 * KMS is eventually consistent: what was made is seen everywhere after seconds, seldom minutes.
 * https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency
 */
export type Consistency = {
  /** Between two looks at a new key. */
  readonly lookEveryMs: number
  readonly looksMax: number
  /** Before a key that is not found is taken for one that was never made. */
  readonly settleMs: number
}

const usual: Consistency = { lookEveryMs: 500, looksMax: 20, settleMs: 5_000 }

/**
 * Makes KMS keys; `serve` is composed without it. Each is tagged with its intent in the request that
 * makes it, and is found by that tag.
 *
 * @throws {ServiceError} `config_invalid` for an environment that would have requests go elsewhere.
 */
export function awsGenerator(
  config: AwsKmsConfig,
  surroundings: KmsSurroundings,
  consistency = usual,
): KeyGenerator {
  const client = kmsClient(config, surroundings)
  return {
    async generate(request, signal) {
      const { KeyMetadata } = await client.createKey(newKey(request), signal)
      const keyArn = KeyMetadata?.Arn
      if (keyArn === undefined) throw unclear('The vault does not say which key it made')
      await visible(client, keyArn, algorithm(request.algorithm), consistency, signal)
      return keyArn
    },

    async find(intentId, signal) {
      const found = await findByIntent(client, intentId, signal)
      if (found !== undefined) return found
      await pause(consistency.settleMs, signal)
      return findByIntent(client, intentId, signal)
    },
  }
}

/** For signing only, in this region only, and with the policy lockout check on. */
function newKey(request: GenerateRequest): Parameters<KmsClient['createKey']>[0] {
  const { algorithm: name, modulusBits, intentId, name: version } = request
  const KeySpec = newKeySpec(name, modulusBits)
  if (!KeySpec) {
    throw new ServiceError('vault_key_unusable', `The vault makes no ${name} key of this size`)
  }
  return {
    KeySpec,
    KeyUsage: awsAlgorithms[name].usage,
    Origin: 'AWS_KMS',
    MultiRegion: false,
    BypassPolicyLockoutSafetyCheck: false,
    Description: `Chancery ${version}`,
    Tags: [{ TagKey: intentTag, TagValue: intentId }],
  }
}

/** Until the vault itself sees what it made. The key stays: a later run finds it by its tag. */
async function visible(
  client: KmsClient,
  keyArn: string,
  row: Algorithm,
  { lookEveryMs, looksMax }: Consistency,
  signal: AbortSignal,
): Promise<void> {
  for (let look = 1; ; look += 1) {
    try {
      await inspect(client, keyArn, row, signal)
      if (row.kty !== 'oct') await client.getPublicKey(keyArn, signal)
      return
    } catch (error) {
      const isYoung = toServiceError(error).code === 'vault_key_unusable'
      if (!isYoung || look === looksMax) throw error
    }
    await pause(lookEveryMs, signal)
  }
}

function unclear(words: string): ServiceError {
  return new ServiceError('vault_unavailable', words)
}
