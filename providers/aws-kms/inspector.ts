import { z } from 'zod'
import type { Algorithm } from '../../src/signing/algorithms.ts'
import type { Custody } from '../../src/signing/signer.ts'
import { awsAlgorithms, fitsSpec } from './algorithms.ts'
import type { KmsClient } from './client.ts'
import { keyUnusable, noAnswer } from './errors.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html */
const keyMetadata = z.object({
  Arn: z.string(),
  KeyManager: z.string(),
  KeySpec: z.string(),
  KeyState: z.string(),
  KeyUsage: z.string(),
  MultiRegion: z.boolean(),
  Origin: z.string(),
  DeletionDate: z.date().optional(),
  MacAlgorithms: z.array(z.string()).default([]),
  SigningAlgorithms: z.array(z.string()).default([]),
})
type KeyMetadata = z.infer<typeof keyMetadata>

/**
 * Where the material was made. What an external key store holds is outside the vault, and a CloudHSM key store
 * has keys for symmetric encryption alone: neither is here.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html
 * https://docs.aws.amazon.com/kms/latest/developerguide/manage-cmk-keystore.html
 */
const custodies: Readonly<Record<string, Custody>> = {
  AWS_KMS: 'kms-generated',
  EXTERNAL: 'kms-imported',
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
const stateWords: Readonly<Record<string, string>> = {
  Creating: 'The key is not ready yet',
  Disabled: 'The key is disabled',
  PendingDeletion: 'The key is going to be deleted',
  PendingImport: 'The key has no material: import it',
  PendingReplicaDeletion: 'The key is going to be deleted',
  Unavailable: 'The key store of the key is not connected',
  Updating: 'The key is not ready yet',
}

/**
 * Proves from the vault's own attributes that a key can only sign, and only in this place. One request.
 *
 * @param keyArn never an alias: that is a pointer which anybody may move under a running signer.
 * @throws {ServiceError} `vault_key_unusable` with the reason, or `vault_*`; an answer that says nothing of the
 *   key is `vault_unavailable`, since nobody suspends a key for that.
 */
export async function inspect(
  client: KmsClient,
  keyArn: string,
  row: Algorithm,
  signal: AbortSignal,
): Promise<Custody> {
  const answer = await client.describeKey(keyArn, signal)
  const { data: found } = keyMetadata.safeParse(answer.KeyMetadata)
  if (!found) throw noAnswer('KeyMetadata')
  const custody = custodies[found.Origin]
  if (!custody) throw keyUnusable('The material of the key is kept outside the vault', keyArn)
  const refusal = refusalOf(found, keyArn, row)
  if (refusal !== undefined) throw keyUnusable(refusal, keyArn)
  return custody
}

/** Why the key is not one that can only sign; undefined for one that is. */
function refusalOf(found: KeyMetadata, keyArn: string, { name }: Algorithm): string | undefined {
  const { usage, name: signs } = awsAlgorithms[name]
  if (found.Arn !== keyArn) return 'The vault answered for another key'
  if (found.KeyManager !== 'CUSTOMER') return 'The key belongs to a service of the vault'
  if (found.KeyUsage !== usage) return `The key is not for signing with ${name}`
  if (!fitsSpec(name, found.KeySpec)) return `The key does not fit ${name}`
  const algorithms = [...found.SigningAlgorithms, ...found.MacAlgorithms]
  if (!algorithms.includes(signs)) return `The key does not sign ${name}`
  if (found.MultiRegion) return 'The key can be copied into other regions'
  if (found.KeyState !== 'Enabled') {
    return stateWords[found.KeyState] ?? 'The key is in no state to sign'
  }
  return found.DeletionDate && 'The key is going to be deleted'
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id-key-ARN */
const keyArnForm = /^arn:aws[a-z-]*:kms:([a-z\d-]+):\d{12}:key\/[\da-z][\da-z-]{0,127}$/i

/** Before anything is asked. @throws {ServiceError} `vault_key_unusable`. */
export function assertKeyArn(resource: string, region: string): void {
  const [, keyRegion] = keyArnForm.exec(resource) ?? []
  if (keyRegion === undefined) throw keyUnusable('Not the full name of a key', resource)
  if (keyRegion !== region) throw keyUnusable('The key is in another region', resource)
}
