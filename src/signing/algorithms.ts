/**
 * The one table of algorithms. Everything below it receives a resolved row.
 * https://www.rfc-editor.org/rfc/rfc7518#section-3.1 and, for EdDSA, RFC 8037 §3.1.
 */
const rows = [
  { name: 'RS256', kty: 'RSA', hash: 'sha256', padding: 'pkcs1' },
  { name: 'RS384', kty: 'RSA', hash: 'sha384', padding: 'pkcs1' },
  { name: 'RS512', kty: 'RSA', hash: 'sha512', padding: 'pkcs1' },
  { name: 'PS256', kty: 'RSA', hash: 'sha256', padding: 'pss' },
  { name: 'PS384', kty: 'RSA', hash: 'sha384', padding: 'pss' },
  { name: 'PS512', kty: 'RSA', hash: 'sha512', padding: 'pss' },
  { name: 'ES256', kty: 'EC', hash: 'sha256', crv: 'P-256', coordinateBytes: 32 },
  { name: 'ES384', kty: 'EC', hash: 'sha384', crv: 'P-384', coordinateBytes: 48 },
  { name: 'ES512', kty: 'EC', hash: 'sha512', crv: 'P-521', coordinateBytes: 66 },
  { name: 'EdDSA', kty: 'OKP', crv: 'Ed25519' },
  { name: 'HS256', kty: 'oct', hash: 'sha256', macBytes: 32 },
  { name: 'HS384', kty: 'oct', hash: 'sha384', macBytes: 48 },
  { name: 'HS512', kty: 'oct', hash: 'sha512', macBytes: 64 },
] as const satisfies readonly Row[]

type Hash = 'sha256' | 'sha384' | 'sha512'

type Row =
  | { name: string; kty: 'RSA'; hash: Hash; padding: 'pkcs1' | 'pss' }
  | { name: string; kty: 'EC'; hash: Hash; crv: string; coordinateBytes: number }
  | { name: string; kty: 'OKP'; crv: 'Ed25519' }
  | { name: string; kty: 'oct'; hash: Hash; macBytes: number }

export type Algorithm = (typeof rows)[number]
export type AlgorithmName = Algorithm['name']
export type MacAlgorithm = Extract<Algorithm, { kty: 'oct' }>
export type PublicAlgorithm = Exclude<Algorithm, { kty: 'oct' }>
/** Those that sign a hash of the message, which anybody can make: Ed25519 and HMAC need the message. */
export type DigestAlgorithm = Extract<Algorithm, { kty: 'RSA' | 'EC' }>

export const algorithmNames: readonly AlgorithmName[] = rows.map(({ name }) => name)

const byName = new Map<string, Algorithm>(rows.map((row) => [row.name, row]))

export function isAlgorithmName(name: string): name is AlgorithmName {
  return byName.has(name)
}

export function algorithm(name: AlgorithmName): Algorithm {
  const row = byName.get(name)
  if (!row) throw new TypeError(`no algorithm ${name}`)
  return row
}

/** https://www.rfc-editor.org/rfc/rfc6234#section-1 */
export const hashBytes = { sha256: 32, sha384: 48, sha512: 64 } as const satisfies Record<
  Hash,
  number
>

export function signsHash(row: Algorithm): row is DigestAlgorithm {
  return row.kty === 'RSA' || row.kty === 'EC'
}

/** How long the one digest is that the algorithm signs. */
export function digestBytes({ hash }: DigestAlgorithm): number {
  return hashBytes[hash]
}

/** Smaller is refused everywhere (NIST SP 800-131A); larger than 8192 is nobody's practice. */
export const modulusBitsMin = 2048
export const modulusBitsMax = 8192
