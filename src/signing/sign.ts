import { hash } from 'node:crypto'
import { ServiceError } from '../errors.ts'
import type { Bytes } from '../lib/bytes.ts'
import { type Algorithm, signsHash } from './algorithms.ts'
import type { PublicKey } from './public-key.ts'
import type { RequestNote, Signer } from './signer.ts'
import { verifiesInPool } from './verify.ts'
import { verifiesDigest } from './verify-digest.ts'

/** A version that is ready to sign: its signer and the public key that was pinned in the store. */
export type SigningKey = {
  readonly signer: Signer
  readonly algorithm: Algorithm
  /** None for HMAC. */
  readonly publicKey: PublicKey | undefined
}

/**
 * Hash, sign in the vault, verify with the pinned public key. Billed as one vault request, and at most two.
 * The check catches a wrong encoding, a stale public key, a swapped version and a faulty HSM;
 * an HMAC has no public half, so only its length is looked at (its known answer is checked when
 * the version is opened).
 *
 * @returns JOSE form.
 * @throws {ServiceError} `signature_invalid`, or what the signer threw.
 */
export async function signMessage(
  key: SigningKey,
  message: Uint8Array,
  signal: AbortSignal,
  note?: RequestNote,
): Promise<Bytes> {
  const input = { message, digest: digestOf(key.algorithm, message) }
  const signature = await key.signer.sign(input, key.algorithm, signal, note)
  if (await isGenuine(key, message, signature)) return signature
  throw invalid()
}

/**
 * As `signMessage`, for a digest whose message nobody here has: the vault is told that it is one, and
 * the answer is checked against it. Billed as one vault request, and at most two.
 *
 * @param digest exactly as long as the algorithm's hash.
 * @returns JOSE form.
 * @throws {ServiceError} `vault_key_unusable` for an algorithm that signs messages only,
 *   `signature_invalid`, or what the signer threw.
 */
export async function signDigest(
  { signer, algorithm, publicKey }: SigningKey,
  digest: Bytes,
  signal: AbortSignal,
  note?: RequestNote,
): Promise<Bytes> {
  if (!signsHash(algorithm)) {
    throw new ServiceError('vault_key_unusable', `${algorithm.name} signs no digests`)
  }
  const input = { message: undefined, digest }
  const signature = await signer.sign(input, algorithm, signal, note)
  if (publicKey && (await verifiesDigest(publicKey, algorithm, digest, signature))) return signature
  throw invalid()
}

function invalid(): ServiceError {
  return new ServiceError(
    'signature_invalid',
    'The vault answered a signature that does not verify',
  )
}

/** The algorithm's own hash of a message; none for Ed25519. */
function digestOf(algorithm: Algorithm, message: Uint8Array): Bytes | undefined {
  if (algorithm.kty === 'OKP') return undefined
  return new Uint8Array(hash(algorithm.hash, message, 'buffer'))
}

async function isGenuine(
  { algorithm, publicKey }: SigningKey,
  message: Uint8Array,
  signature: Bytes,
): Promise<boolean> {
  if (algorithm.kty === 'oct') return signature.length === algorithm.macBytes
  return publicKey !== undefined && verifiesInPool(publicKey, algorithm, message, signature)
}
