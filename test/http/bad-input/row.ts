/** One bad request of the table. */
export type Row = readonly [
  what: string,
  sent: Sent,
  /** Status and code, then the rule, claim, path of the first issue, kid, or why a credential proves nothing. */
  answer: string,
]

export type Sent = {
  /** `reports` unless told. */
  readonly key?: string
  readonly body?: unknown
  /** Instead of a body's JSON. */
  readonly raw?: string | Uint8Array<ArrayBuffer>
  readonly type?: string
  /** A good API key unless told; null for none. */
  readonly authorization?: string | null
  /** Header lines of a request on a real socket. */
  readonly wire?: readonly string[]
}

export const now = 1_800_000_000

/** Base64url, without padding, of text as it is or of JSON. */
export function b64(value: string | object): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return Buffer.from(text).toString('base64url')
}

const goodHeader = { alg: 'ES256', typ: 'JWT' }
const goodPayload = {
  iss: 'https://acme.example',
  jti: 'theirs',
  iat: now,
  exp: now + 60,
  sub: '42',
}

/** A signing input that is good but for these members. */
export function input(header: object, payload: object = {}): Sent {
  return written({ ...goodHeader, ...header }, { ...goodPayload, ...payload })
}

/** A signing input of these two segments, as text or as JSON. */
export function written(header: string | object, payload: string | object): Sent {
  return segments(`${b64(header)}.${b64(payload)}`)
}

/** A signing input as it stands. */
export function segments(signingInput: unknown): Sent {
  return { body: { signingInput } }
}

export function claims(sent: unknown): Sent {
  return { body: { claims: sent } }
}

export const goodSegments = [b64(goodHeader), b64(goodPayload)] as const

export function digest(bytes: number): Sent {
  return { key: 'documents', body: { digest: Buffer.alloc(bytes, 7).toString('base64') } }
}

export function message(text: string): Sent {
  return { key: 'documents', body: { message: Buffer.from(text).toString('base64url') } }
}
