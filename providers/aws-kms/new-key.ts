import { ServiceError } from '../../src/errors.ts'
import type { GenerateRequest } from '../../src/signing/signer.ts'
import { awsAlgorithms, newKeySpec } from './algorithms.ts'
import type { KmsClient } from './client.ts'
import { intentTag } from './intents.ts'

/**
 * Makes a key for signing only, in this region only, with the policy lockout check on, and tagged with
 * its intent in the request that makes it. Billed, and not idempotent.
 *
 * @param origin `EXTERNAL` for a key without material, which is then imported.
 * @returns the key's ARN.
 * @throws {ServiceError} `vault_key_unusable` for a kind of key that KMS does not have; `vault_*`.
 */
export async function createKey(
  client: KmsClient,
  { algorithm: name, modulusBits, intentId, name: version }: GenerateRequest,
  origin: 'AWS_KMS' | 'EXTERNAL',
  signal: AbortSignal,
): Promise<string> {
  const KeySpec = newKeySpec(name, modulusBits)
  if (!KeySpec) {
    throw new ServiceError('vault_key_unusable', `The vault makes no ${name} key of this size`)
  }
  const input = {
    KeySpec,
    KeyUsage: awsAlgorithms[name].usage,
    Origin: origin,
    MultiRegion: false,
    BypassPolicyLockoutSafetyCheck: false,
    Description: `Chancery ${version}`,
    Tags: [{ TagKey: intentTag, TagValue: intentId }],
  }
  const { KeyMetadata } = await client.createKey(input, signal)
  if (KeyMetadata?.Arn !== undefined) return KeyMetadata.Arn
  throw new ServiceError('vault_unavailable', 'The vault does not say which key it made')
}
