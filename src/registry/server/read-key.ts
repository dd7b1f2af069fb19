import { z } from 'zod'
import { ServiceError } from '../../errors.ts'
import { decodeBase64, encodeBytes } from '../../lib/bytes.ts'
import { type Algorithm, algorithm, algorithmNames } from '../../signing/algorithms.ts'
import { fingerprints } from '../../signing/fingerprint.ts'
import { publicKeyFromJwk } from '../../signing/public-jwk.ts'
import { algorithmMismatch, type PublicKey, publicKeyFromSpki } from '../../signing/public-key.ts'
import type { NewKey } from './app-key.ts'
import type { Issue } from './refusal.ts'

export type ReadKey =
  | { readonly verdict: 'good'; readonly key: NewKey }
  | { readonly verdict: 'bad'; readonly issues: readonly Issue[] }

/** RFC 7518 §6.2.2, §6.3.2, §6.4.1: what makes a JWK private. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

const message = {
  private: 'a private member: only the public half of a key pair belongs here',
  generate: 'this registry makes no key pairs: make one in a vault, and send its public half',
  unknown: 'unknown members',
  fingerprint: 'not the base64url SHA-256 of the DER SubjectPublicKeyInfo',
  x5c: 'one text: padded base64 of a DER SubjectPublicKeyInfo',
  unreadable: 'not a public key that RFC 7518 or RFC 8037 writes like this',
  small: 'RSA of 4096 to 8192 bits',
  alg: 'no public algorithm',
} as const

/** Of Contentful's shape; its page makes keys of this size: https://www.contentful.com/developers/docs/references/content-management-api/app-keys */
const contentfulBitsMin = 4_096

const text = z.string().max(2_048)
const fingerprint = z.string().length(43, message.fingerprint)
const meta = { kid: fingerprint, alg: z.enum(algorithmNames), use: z.literal('sig') }

const request = z.strictObject({
  jwk: z.record(z.string(), z.unknown()),
  generate: z.literal(false, message.generate).optional(),
})

const contentfulJwk = z.strictObject({
  kty: z.literal('RSA'),
  alg: z.literal('RS256'),
  use: z.literal('sig'),
  kid: fingerprint,
  x5t: fingerprint,
  x5c: z.tuple([text], message.x5c),
})

/** RFC 7517, with the public members of RFC 7518 §6 and RFC 8037 §2 only. */
const rfc7517Jwk = z.discriminatedUnion('kty', [
  z.strictObject({ ...meta, kty: z.literal('RSA'), n: text, e: text }),
  z.strictObject({
    ...meta,
    kty: z.literal('EC'),
    crv: z.enum(['P-256', 'P-384', 'P-521']),
    x: text,
    y: text,
  }),
  z.strictObject({ ...meta, kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: text }),
])

/** Pure: the body of a request to register a key. No issue shows a value that was sent. */
export function readKey(body: unknown): ReadKey {
  const asked = request.safeParse(body)
  if (!asked.success) return bad(issuesOf(asked.error, []))
  const { jwk } = asked.data
  const secret = privateMembers.find((name) => Object.hasOwn(jwk, name))
  if (secret !== undefined) return bad([{ path: ['jwk', secret], message: message.private }])
  return isContentfulShape(jwk) ? readContentful(jwk) : readRfc7517(jwk)
}

/** Without its own members, what is there is an RFC 7517 JWK. */
function isContentfulShape(jwk: object): boolean {
  return Object.hasOwn(jwk, 'x5c') || Object.hasOwn(jwk, 'x5t')
}

function readContentful(sent: object): ReadKey {
  const parsed = contentfulJwk.safeParse(sent)
  if (!parsed.success) return bad(issuesOf(parsed.error, ['jwk']))
  const { kid, x5t, alg } = parsed.data
  const key = attempt(() => publicKeyFromSpki(canonicalBase64(parsed.data.x5c[0])))
  if (!key) return bad([{ path: ['jwk', 'x5c'], message: message.x5c }])
  const bits = key.object.asymmetricKeyDetails?.modulusLength ?? 0
  if (bits < contentfulBitsMin) return bad([{ path: ['jwk', 'x5c'], message: message.small }])
  const mismatch = mismatchOf(key, algorithm(alg))
  if (mismatch !== undefined) return bad([{ path: ['jwk', 'x5c'], message: mismatch }])
  return named(key, { kid, x5t }, { alg, shape: 'contentful' })
}

function readRfc7517(sent: object): ReadKey {
  const parsed = rfc7517Jwk.safeParse(sent)
  if (!parsed.success) return bad(issuesOf(parsed.error, ['jwk']))
  const { kid, alg, use: _, ...jwk } = parsed.data
  const key = attempt(() => publicKeyFromJwk(jwk))
  if (!key) return bad([{ path: ['jwk'], message: message.unreadable }])
  const mismatch = mismatchOf(key, algorithm(alg))
  if (mismatch !== undefined) return bad([{ path: ['jwk', 'alg'], message: mismatch }])
  return named(key, { kid }, { alg, shape: 'rfc7517' })
}

/** Every name that was sent must be the key's own fingerprint. */
function named(
  key: PublicKey,
  names: Readonly<Record<string, string>>,
  facts: Pick<NewKey, 'alg' | 'shape'>,
): ReadKey {
  const kid = fingerprints(key).contentful
  const wrong = Object.entries(names).filter(([, sent]) => sent !== kid)
  if (wrong.length > 0) {
    return bad(wrong.map(([name]) => ({ path: ['jwk', name], message: message.fingerprint })))
  }
  return { verdict: 'good', key: { kid, spki: key.spki, ...facts } }
}

function mismatchOf({ object }: PublicKey, row: Algorithm): string | undefined {
  return row.kty === 'oct' ? message.alg : algorithmMismatch(object, row)
}

/** What is answered later is what was sent: one spelling only. */
function canonicalBase64(sent: string): Uint8Array {
  const bytes = decodeBase64(sent)
  if (encodeBytes(bytes, 'base64') === sent) return bytes
  throw new ServiceError('malformed_request', 'not padded base64')
}

/** A key that cannot be read is the sender's; anything else is a bug. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof ServiceError) return undefined
    throw error
  }
}

function bad(issues: readonly Issue[]): ReadKey {
  return { verdict: 'bad', issues }
}

function issuesOf({ issues }: z.ZodError, above: readonly string[]): readonly Issue[] {
  return issues.map(({ path, code, message: said }) => ({
    path: [...above, ...path.map(String)],
    // Zod names unknown members, which are the sender's own text.
    message: code === 'unrecognized_keys' ? message.unknown : said,
  }))
}
