import { z } from 'zod'
import { type ErrorCode, errorCodes } from '../errors.ts'
import { utf8 } from '../lib/bytes.ts'
import { type SigningKey, signMessage } from '../signing/sign.ts'
import { assertKnownAnswer } from './known-answer.ts'
import type { KeyVersion } from './version.ts'

/** `ok`, or why a process could not sign with a version. */
export const proofCode = z.enum(['ok', ...errorCodes])
export type ProofCode = 'ok' | ErrorCode

/** What one process found when it signed, for itself alone, with a version that may become active. */
export type Proof = {
  readonly key: string
  readonly n: number
  readonly code: ProofCode
  /** Epoch milliseconds. */
  readonly at: number
}

/** No JWS: a signing input holds no space. */
const proofText = utf8('chancery proof before a switch, not a JWS')

/**
 * Signs a fixed text and checks the signature, which goes nowhere. Billed as one vault request, and at most two.
 *
 * @throws {ServiceError} `signature_invalid`, `vault_key_unusable`, `vault_*`.
 */
export async function proveUsable(
  { knownAnswer }: Pick<KeyVersion, 'knownAnswer'>,
  signingKey: SigningKey,
  signal: AbortSignal,
): Promise<void> {
  const { signer, algorithm } = signingKey
  if (algorithm.kty === 'oct') await assertKnownAnswer(signer, algorithm, knownAnswer, signal)
  else await signMessage(signingKey, proofText, signal)
}
