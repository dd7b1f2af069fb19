import type { Members } from './case.ts'
import { wordsOf } from './estate.ts'

/** What most grants on a key let a caller add. */
export function goodClaims(key: string): Members {
  switch (wordsOf(key)?.profile?.name) {
    case 'generic-jwt':
      return key === 'aside' ? {} : genericClaims
    case 'api-key-token':
      return { fingerprint: 'device-1' }
    default:
      return {}
  }
}

const genericClaims = {
  sub: 'tenant:42',
  aud: 'https://reports.example',
  role: 'reader',
  repo: '1234',
}

/** What a header may be changed to. */
export const foreignHeaders: readonly Members[] = [
  { alg: undefined },
  { typ: undefined },
  ...['none', 'None', 'HS256', 'HS384', 'RS256', 'RS512', 'PS256', 'ES256', 'es256', 'EdDSA'].map(
    (alg) => ({ alg }),
  ),
  ...[null, 0, ['ES256']].map((alg) => ({ alg })),
  ...['jwt', 'at+jwt', 'JOSE', '', null, 1].map((typ) => ({ typ })),
  ...['kid-now', 'kid-old', 'kid-next', 'kid-of-nobody', '', null, 1].map((kid) => ({ kid })),
  { crit: ['b64'], b64: false },
  ...['crit', 'b64', 'jku', 'jwk', 'x5u', 'x5c', 'x5t', 'cty', 'zip', 'Alg', 'constructor'].map(
    (name) => ({ [name]: 'https://evil.example' }),
  ),
]

/** Ids of versions, and what is none. */
export const tokenNames: readonly unknown[] = [
  'id-retired',
  'id-revoked',
  'id-regenerated',
  'id-second',
  'id-came-back',
  'id-early',
  'id-of-nobody',
  'ID-SECOND',
  'face@5',
  '',
  undefined,
  null,
  5,
  ['id-second'],
]

function nested(depth: number): unknown {
  return depth === 0 ? 'deep' : { a: nested(depth - 1) }
}

function wide(members: number): Members {
  return Object.fromEntries(Array.from({ length: members }, (_, i) => [`m${i}`, i]))
}

/** On both sides of every bound of a claim set. */
export const bounded: readonly Members[] = [
  { deep: nested(7) },
  { deep: nested(8) },
  { list: [[[[[[['deep']]]]]]] },
  { list: [[[[[[[['deep']]]]]]]] },
  wide(60),
  wide(61),
  { inner: wide(64) },
  { inner: wide(65) },
  { list: Array.from({ length: 65 }, () => 1) },
  { ['n'.repeat(64)]: 1 },
  { ['n'.repeat(65)]: 1 },
  { text: '\u00e9'.repeat(1_024) },
  { text: '\u00e9'.repeat(1_025) },
  { list: ['t'.repeat(2_049)] },
  { number: 1.5 },
  { number: Number.MAX_SAFE_INTEGER },
  { number: Number.MAX_SAFE_INTEGER + 1 },
  { number: -Number.MAX_SAFE_INTEGER },
  { number: 1e21 },
]
