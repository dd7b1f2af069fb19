import { algorithm } from '../../src/signing/algorithms.ts'
import type { KeyGenerator } from '../../src/signing/signer.ts'
import { kmsClient, type KmsSurroundings } from './client.ts'
import type { AwsKmsConfig } from './config.ts'
import { usual, visible } from './consistency.ts'
import { findSettled } from './intents.ts'
import { createKey } from './new-key.ts'

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
      const keyArn = await createKey(client, request, 'AWS_KMS', signal)
      await visible(client, keyArn, algorithm(request.algorithm), consistency, signal)
      return keyArn
    },

    find: (intentId, signal) => findSettled(client, intentId, consistency, signal),
  }
}
