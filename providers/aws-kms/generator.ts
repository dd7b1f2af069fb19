import { algorithm } from '../../src/signing/algorithms.ts'
import type { KeyGenerator } from '../../src/signing/signer.ts'
import { kmsClient } from './client.ts'
import type { AwsKmsConfig } from './config.ts'
import { usual, visible } from './consistency.ts'
import { findByIntent } from './intents.ts'
import { createKey, type MakerSurroundings } from './new-key.ts'

/**
 * Makes KMS keys; `serve` is composed without it. Each is tagged with its intent, and the environment
 * that it is of, in the request that makes it, and is found by its intent.
 *
 * @throws {ServiceError} `config_invalid` for an environment that would have requests go elsewhere.
 */
export function awsGenerator(
  config: AwsKmsConfig,
  surroundings: MakerSurroundings,
  consistency = usual,
): KeyGenerator {
  const client = kmsClient(config, surroundings)
  return {
    async generate(request, signal) {
      const kind = { origin: 'AWS_KMS', environment: surroundings.keysOf } as const
      const keyArn = await createKey(client, request, kind, signal)
      await visible(client, keyArn, algorithm(request.algorithm), consistency, signal)
      return keyArn
    },

    find: ({ intentId }, signal, goOn) => findByIntent(client, intentId, signal, goOn),
    settleMs: consistency.settleMs,
  }
}
