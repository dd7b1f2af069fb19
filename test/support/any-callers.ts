import * as fc from 'fast-check'
import type { ClaimCheck } from '../../src/policy/claim-rules.ts'
import { algorithmNames } from '../../src/signing/algorithms.ts'

/** A value, and how it stands in the file. */
export type Written<T> = { readonly text: string; readonly value: T }

export type CallerDraft = {
  readonly name: string
  readonly apiKeys: readonly { readonly id: string; readonly sha256: string }[]
  readonly oidc: OidcDraft | undefined
  /** The one URI of its certificate. */
  readonly uri: string | undefined
}

export type OidcDraft = {
  readonly place: (typeof places)[number]
  readonly audience: string
  readonly match: Readonly<Record<string, Scalar>>
  readonly algorithms: readonly string[] | undefined
  readonly maxTokenLifetime: Written<number> | undefined
}

type Scalar = Extract<ClaimCheck, { readonly kind: 'const' }>['value']

/** Issuers, each with its keys in one place. */
const places = [
  { issuer: 'https://issuer.example/a/' },
  { issuer: 'https://10.0.0.5:8443', jwksUri: 'https://keys.example/jwks?v=1' },
  { issuer: 'http://127.0.0.1:8080', jwksFile: './keys/jwks.json' },
] as const satisfies readonly {
  readonly issuer: string
  readonly jwksUri?: string
  readonly jwksFile?: string
}[]

const publicAlgorithms = algorithmNames.filter((alg) => !alg.startsWith('HS'))

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
const scalar = fc.oneof(text, fc.maxSafeInteger(), fc.boolean())
const claim = fc.oneof(
  text.filter((name) => !name.startsWith('/') && name !== '__proto__'),
  fc.constantFrom('sub', '/kubernetes.io/serviceaccount/uid', '/a~1b/c~0d', 'constructor', 'a/b'),
)

const option = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

function oidc(duration: fc.Arbitrary<Written<number>>): fc.Arbitrary<OidcDraft> {
  return fc.record({
    place: fc.constantFrom(...places),
    audience: text,
    match: fc.dictionary(claim, scalar, { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
    algorithms: option(fc.shuffledSubarray(publicAlgorithms, { minLength: 1 })),
    maxTokenLifetime: option(duration),
  })
}

/** Each has at least one way to prove itself, which is nobody else's. */
export function anyCallers(
  name: fc.Arbitrary<string>,
  duration: fc.Arbitrary<Written<number>>,
): fc.Arbitrary<readonly CallerDraft[]> {
  const ways = fc.record({
    name,
    keys: fc.nat({ max: 3 }),
    oidc: option(oidc(duration)),
    hasCertificate: fc.boolean(),
  })
  return fc
    .uniqueArray(ways, { selector: (caller) => caller.name, minLength: 1, maxLength: 4 })
    .map((drafts) =>
      drafts.map(({ keys, hasCertificate, ...draft }, i) => ({
        ...draft,
        apiKeys: Array.from({ length: draft.oidc ? keys : Math.max(keys, 1) }, (_, j) => ({
          id: `${i}${j}`.padStart(10, 'A'),
          sha256: `${i}${j}`.padStart(64, 'ab'),
        })),
        uri: hasCertificate ? `spiffe://acme/${i}?a=b;c` : undefined,
      })),
    )
}

/** As it would stand in the file. */
export function writtenCaller({ apiKeys, oidc: tokens, uri }: CallerDraft) {
  return {
    ...(apiKeys.length > 0 && { apiKeys }),
    ...(tokens && { oidc: writtenOidc(tokens) }),
    ...(uri !== undefined && { certificate: { uri } }),
  }
}

function writtenOidc({ place, maxTokenLifetime, algorithms, ...draft }: OidcDraft) {
  return {
    ...place,
    ...draft,
    ...(algorithms && { algorithms }),
    ...(maxTokenLifetime && { maxTokenLifetime: maxTokenLifetime.text }),
  }
}

/** What it says, worked out without the code that is tested. */
export function meantCaller(
  { name, apiKeys, oidc: tokens, uri }: CallerDraft,
  at: (path: string) => string,
) {
  return {
    name,
    apiKeys: apiKeys.map(({ id, sha256 }) => ({
      id,
      sha256: new Uint8Array(Buffer.from(sha256, 'hex')),
    })),
    oidc: tokens && meantOidc(tokens, at),
    certificateUri: uri,
  }
}

function meantOidc(
  { place, audience, match, algorithms, maxTokenLifetime }: OidcDraft,
  at: (path: string) => string,
) {
  const lifetimeSecondsMax = maxTokenLifetime ? maxTokenLifetime.value / 1_000 : 3_600
  const { issuer } = place
  const settings = { issuer, audience, match, algorithms: algorithms ?? ['RS256'] }
  return { ...settings, lifetimeSecondsMax, keys: meantKeys(place, at) }
}

function meantKeys(place: OidcDraft['place'], at: (path: string) => string) {
  if ('jwksUri' in place) return { kind: 'uri', uri: place.jwksUri }
  if ('jwksFile' in place) return { kind: 'file', file: at(place.jwksFile) }
  return { kind: 'discovery' }
}
