import type { QuotaShare } from '../../src/signing/signer.ts'

/**
 * Transactions with software keys in ten seconds, for one vault in a region; with HSM keys half as many. They
 * are weighted, and their sum is what is limited.
 * https://learn.microsoft.com/azure/key-vault/general/service-limits#key-transactions
 */
const inTenSeconds = { EC: 4_000, 2048: 4_000, 3072: 1_000, 4096: 500 } as const

const most = inTenSeconds.EC

/** Of what is signed with: `RSA`, `RSA-HSM`, `EC`, `EC-HSM`. */
export type KeySize = { readonly kty: string; readonly modulusBits: number | undefined }

/** What a signature takes of the vault's one quota: a software EC or RSA-2048 key takes 1. An emulator counts nothing. */
export function quotaOf({ kty, modulusBits }: KeySize, isEmulator: boolean): QuotaShare {
  const units = (most / allowed(modulusBits)) * (kty.endsWith('-HSM') ? 2 : 1)
  return { pool: 'vault', units, perSecond: isEmulator ? undefined : most / 10 }
}

function allowed(modulusBits: number | undefined): number {
  if (modulusBits === undefined) return inTenSeconds.EC
  if (modulusBits <= 2048) return inTenSeconds[2048]
  return modulusBits <= 3072 ? inTenSeconds[3072] : inTenSeconds[4096]
}
