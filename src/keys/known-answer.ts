import { createHmac, hash, type KeyObject } from 'node:crypto'
import { ServiceError } from '../errors.ts'
import { type Bytes, equalBytes, utf8 } from '../lib/bytes.ts'
import type { Algorithm, MacAlgorithm } from '../signing/algorithms.ts'
import { signMessage } from '../signing/sign.ts'
import type { Signer } from '../signing/signer.ts'

/** No JWS: a signing input holds no space. Used for HMAC, and to prove a version usable. */
const knownAnswerText = utf8('chancery known answer test, not a JWS')

/** What a vault has to answer that was given this secret. */
export function knownAnswerOf(secret: KeyObject, { hash: name }: MacAlgorithm): Bytes {
  const mac = createHmac(name, secret).update(knownAnswerText).digest()
  return new Uint8Array(hash('sha256', mac, 'buffer'))
}

/** SHA-256 of the MAC, not the MAC itself: the store then holds nothing a verifier would take. */
export async function knownAnswer(
  signer: Signer,
  algorithm: Algorithm,
  signal: AbortSignal,
): Promise<Bytes> {
  const mac = await signMessage(
    { signer, algorithm, publicKey: undefined },
    knownAnswerText,
    signal,
  )
  return new Uint8Array(hash('sha256', mac, 'buffer'))
}

/**
 * An HMAC has no public key to pin, so its answer to a fixed text is pinned instead.
 *
 * @throws {ServiceError} `vault_key_unusable` when the vault holds another secret now.
 */
export async function assertKnownAnswer(
  signer: Signer,
  algorithm: Algorithm,
  expected: Bytes | undefined,
  signal: AbortSignal,
): Promise<void> {
  const actual = await knownAnswer(signer, algorithm, signal)
  if (expected && equalBytes(actual, expected)) return
  throw new ServiceError('vault_key_unusable', 'The vault holds another secret than was recorded')
}
