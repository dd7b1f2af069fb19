import { ServiceError } from '../errors.ts'
import { kidOf } from '../keys/kid.ts'
import type { Key } from '../keys/key.ts'
import { knownAnswer } from '../keys/known-answer.ts'
import type { KeyVersion } from '../keys/version.ts'
import { utf8 } from '../lib/bytes.ts'
import { assertFits, publicKeyFromSpki, type PublicKey } from '../signing/public-key.ts'
import { signMessage } from '../signing/sign.ts'
import type { Signer, Vault } from '../signing/signer.ts'

/** No JWS: a signing input holds no space. */
const proofText = utf8('chancery proof of possession, not a JWS')

/**
 * Looks at what a vault made and turns it into a version: sign-only by the vault's own word, of the
 * key's algorithm, and able to sign what its public half verifies. The proof never leaves here.
 *
 * Where Terraform makes the keys, the job may not sign: each `serve` proves the version before it is
 * switched to. An HMAC, which has no public half to know it by, needs its known answer in any case.
 *
 * @throws {ServiceError} `vault_key_unusable`, `signature_invalid`, `vault_*`.
 */
export async function adopt(
  found: {
    readonly key: Key
    readonly n: number
    readonly resource: string
    readonly vault: Vault
    readonly now: number
    readonly actor: string
    /** The name that the maker of a secret has given it, where tokens say it. */
    readonly keyId?: string | undefined
  },
  signal: AbortSignal,
): Promise<KeyVersion> {
  const { key, n, resource, vault, now, actor, keyId } = found
  const { algorithm } = key
  const signer = await vault.open({ resource, algorithm: algorithm.name }, signal)
  const publicKey = algorithm.kty === 'oct' ? undefined : await publicKeyOf(signer, key, signal)
  if (publicKey && key.source !== 'provisioned') {
    await signMessage({ signer, algorithm, publicKey }, proofText, signal)
  }
  return {
    key: key.name,
    n,
    state: 'created',
    source: key.source,
    custody: signer.custody,
    vault: key.vault,
    resource: signer.resource ?? resource,
    algorithm: algorithm.name,
    spki: publicKey?.spki,
    knownAnswer: publicKey ? undefined : await knownAnswer(signer, algorithm, signal),
    kid: keyId ?? kidOf(key, n, publicKey),
    generation: undefined,
    createdAt: now,
    madeBy: actor,
    publishedAt: undefined,
    activatedAt: undefined,
    retiringAt: undefined,
    endedAt: undefined,
    withdrawnAt: undefined,
    disabledAt: undefined,
  }
}

async function publicKeyOf(
  signer: Signer,
  { algorithm, modulusBits }: Key,
  signal: AbortSignal,
): Promise<PublicKey> {
  const spki = await signer.publicKey(signal)
  if (!spki) throw new ServiceError('vault_key_unusable', 'The vault answers no public key')
  const publicKey = publicKeyFromSpki(spki)
  assertFits(publicKey.object, algorithm)
  const bits = publicKey.object.asymmetricKeyDetails?.modulusLength
  if (modulusBits !== undefined && bits !== modulusBits) {
    throw new ServiceError(
      'vault_key_unusable',
      `The vault made ${bits} bits where ${modulusBits} were asked`,
    )
  }
  return publicKey
}
