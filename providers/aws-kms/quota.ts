import type { Algorithm } from '../../src/signing/algorithms.ts'
import type { QuotaShare } from '../../src/signing/signer.ts'

/**
 * Requests a second of an account in a region, counted apart for these kinds of keys; an account may have
 * asked for more. A MAC counts among the symmetric operations, whose quota depends on the region.
 * https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
 */
const quotas = {
  RSA: { pool: 'rsa', units: 1, perSecond: 1_000 },
  EC: { pool: 'ecc', units: 1, perSecond: 1_000 },
  OKP: { pool: 'ecc', units: 1, perSecond: 1_000 },
  oct: { pool: 'symmetric', units: 1, perSecond: undefined },
} as const satisfies Record<Algorithm['kty'], QuotaShare>

/**
 * Between two of `GetParametersForImport`, of which an account may ask 0.25 a second in a region.
 * https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html#rps-table
 */
export const parametersEveryMs = 4_000

/** Which quota a signature is taken from. An emulator counts nothing. */
export function quotaOf({ kty }: Algorithm, isEmulator: boolean): QuotaShare {
  return isEmulator ? { ...quotas[kty], perSecond: undefined } : quotas[kty]
}
