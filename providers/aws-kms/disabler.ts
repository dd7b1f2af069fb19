import { toServiceError } from '../../src/errors.ts'
import type { KeyDisabler } from '../../src/signing/signer.ts'
import { type KmsClient, kmsClient, type KmsSurroundings } from './client.ts'
import type { AwsKmsConfig } from './config.ts'
import { assertKeyArn } from './inspector.ts'

/**
 * Disables KMS keys. It takes the vault seconds, at times minutes, until no request is served any more:
 * https://docs.aws.amazon.com/kms/latest/developerguide/enabling-keys.html
 * Deletion is no part of it: it cannot be undone, and is for people, in the vault's own console.
 *
 * @throws {ServiceError} `config_invalid` for an environment that would have requests go elsewhere.
 */
export function awsDisabler(config: AwsKmsConfig, surroundings: KmsSurroundings): KeyDisabler {
  const client = kmsClient(config, surroundings)
  return {
    async disable(resource, signal) {
      assertKeyArn(resource, config.region)
      try {
        await client.disableKey(resource, signal)
      } catch (error) {
        if (await signsStill(client, resource, error, signal)) throw error
      }
    },
  }
}

/** What is in a state that nothing can be disabled from signs no more: to be deleted, empty, gone. */
async function signsStill(
  client: KmsClient,
  keyArn: string,
  refusal: unknown,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isAboutTheKey(refusal)) return true
  try {
    const { KeyMetadata } = await client.describeKey(keyArn, signal)
    return KeyMetadata?.KeyState === 'Enabled'
  } catch (error) {
    return !isAboutTheKey(error)
  }
}

function isAboutTheKey(error: unknown): boolean {
  return toServiceError(error).code === 'vault_key_unusable'
}
