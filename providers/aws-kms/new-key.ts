import { ServiceError } from '../../src/errors.ts'
import type { GenerateRequest } from '../../src/signing/signer.ts'
import { awsAlgorithms, newKeySpec } from './algorithms.ts'
import type { KmsClient, KmsSurroundings } from './client.ts'
import { intentTag } from './intents.ts'

/** On every key that is made here, as on those that Terraform makes: policies go by it. */
const environmentTag = 'chancery:environment'

export type MakerSurroundings = KmsSurroundings & {
  /** Whose keys are made: the configuration's own `environment`. */
  readonly keysOf: string
}

/**
 * Makes a key for signing only, in this region only, with the policy lockout check on, and tagged with
 * its intent and its environment in the request that makes it. Billed, and not idempotent.
 *
 * @param environment the configuration's, of 1 to 31 letters, digits and dashes.
 * @param origin `EXTERNAL` for a key without material, which is then imported.
 * @returns the key's ARN.
 * @throws {ServiceError} `vault_key_unusable` for a kind of key that KMS does not have; `vault_*`.
 */
export async function createKey(
  client: KmsClient,
  { algorithm: name, modulusBits, intentId, name: version }: GenerateRequest,
  {
    origin,
    environment,
  }: { readonly origin: 'AWS_KMS' | 'EXTERNAL'; readonly environment: string },
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
    Tags: [
      { TagKey: intentTag, TagValue: intentId },
      { TagKey: environmentTag, TagValue: environment },
    ],
  }
  const { KeyMetadata } = await client.createKey(input, signal)
  if (KeyMetadata?.Arn !== undefined) return KeyMetadata.Arn
  throw new ServiceError('vault_unavailable', 'The vault does not say which key it made')
}
