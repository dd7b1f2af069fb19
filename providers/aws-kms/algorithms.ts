import type { AlgorithmName } from '../../src/signing/algorithms.ts'

const rsa = <Name extends string>(name: Name) =>
  ({ usage: 'SIGN_VERIFY', name, spec: 'RSA' }) as const
const pair = <Name extends string, Spec extends string>(name: Name, spec: Spec) =>
  ({ usage: 'SIGN_VERIFY', name, spec }) as const
const mac = <Name extends string, Spec extends string>(name: Name, spec: Spec) =>
  ({ usage: 'GENERATE_VERIFY_MAC', name, spec }) as const

/**
 * What KMS calls our algorithms, and the keys that sign with them. `ED25519_PH_SHA_512` is not JOSE's
 * EdDSA, and therefore not here.
 * https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
 */
export const awsAlgorithms = {
  RS256: rsa('RSASSA_PKCS1_V1_5_SHA_256'),
  RS384: rsa('RSASSA_PKCS1_V1_5_SHA_384'),
  RS512: rsa('RSASSA_PKCS1_V1_5_SHA_512'),
  PS256: rsa('RSASSA_PSS_SHA_256'),
  PS384: rsa('RSASSA_PSS_SHA_384'),
  PS512: rsa('RSASSA_PSS_SHA_512'),
  ES256: pair('ECDSA_SHA_256', 'ECC_NIST_P256'),
  ES384: pair('ECDSA_SHA_384', 'ECC_NIST_P384'),
  ES512: pair('ECDSA_SHA_512', 'ECC_NIST_P521'),
  EdDSA: pair('ED25519_SHA_512', 'ECC_NIST_EDWARDS25519'),
  HS256: mac('HMAC_SHA_256', 'HMAC_256'),
  HS384: mac('HMAC_SHA_384', 'HMAC_384'),
  HS512: mac('HMAC_SHA_512', 'HMAC_512'),
} as const satisfies Record<AlgorithmName, object>

const rsaSpecs = [
  { bits: 2048, spec: 'RSA_2048' },
  { bits: 3072, spec: 'RSA_3072' },
  { bits: 4096, spec: 'RSA_4096' },
] as const
const modulusBitsDefault = 3072

/** The spec of a new key; undefined for a size that KMS does not make. */
export function newKeySpec(name: AlgorithmName, modulusBits: number | undefined) {
  const { spec } = awsAlgorithms[name]
  if (spec !== 'RSA') return modulusBits === undefined ? spec : undefined
  return rsaSpecs.find(({ bits }) => bits === (modulusBits ?? modulusBitsDefault))?.spec
}

/** Whether a key of this spec is of the kind that the algorithm needs. */
export function fitsSpec(name: AlgorithmName, keySpec: string): boolean {
  const wanted = awsAlgorithms[name].spec
  return wanted === 'RSA' ? rsaSpecs.some(({ spec }) => spec === keySpec) : wanted === keySpec
}
