import type { AlgorithmName } from '../../src/signing/algorithms.ts'

const rsa = { kty: 'RSA' } as const
const curve = <Crv extends string>(crv: Crv) => ({ kty: 'EC', crv }) as const

/**
 * The keys that sign with our algorithms, which Key Vault calls as we do. EdDSA has no key type there, and
 * HMAC is Managed HSM's alone.
 * https://learn.microsoft.com/azure/key-vault/keys/about-keys-details#signverify
 */
export const azureAlgorithms = {
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  ES256: curve('P-256'),
  ES384: curve('P-384'),
  ES512: curve('P-521'),
  EdDSA: undefined,
  HS256: undefined,
  HS384: undefined,
  HS512: undefined,
} as const satisfies Record<AlgorithmName, object | undefined>

/** https://learn.microsoft.com/azure/key-vault/keys/about-keys-details#rsa-key-support */
export const azureModulusBits: readonly number[] = [2048, 3072, 4096]
const modulusBitsDefault = 3072

/** What a new key is asked for by; undefined for a kind or size that Key Vault does not make. */
export type NewKeyKind =
  | { readonly kty: 'RSA'; readonly keySize: number }
  | { readonly kty: 'EC'; readonly curve: 'P-256' | 'P-384' | 'P-521' }

export function newKeyKind(
  name: AlgorithmName,
  modulusBits: number | undefined,
): NewKeyKind | undefined {
  const kind = azureAlgorithms[name]
  if (!kind) return undefined
  if (kind.kty === 'EC') {
    return modulusBits === undefined ? { kty: 'EC', curve: kind.crv } : undefined
  }
  const keySize = modulusBits ?? modulusBitsDefault
  return azureModulusBits.includes(keySize) ? { kty: 'RSA', keySize } : undefined
}
