import { z } from 'zod'
import { type ErrorCode, errorCodes } from '../errors.ts'

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
