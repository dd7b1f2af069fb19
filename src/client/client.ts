import {
  type FingerprintFormat,
  objectIn,
  problemIn,
  readAllFingerprints,
  readBytes,
  readFingerprints,
  readInput,
  readJwt,
  type SignedBytes,
  type SignedInput,
  type SignedJwt,
  type VersionFingerprints,
} from './answers.ts'
import { type Answer, exchange, type Patience } from './exchange.ts'
import { unexpected } from './json.ts'
import { kept, lasting } from './kept.ts'
import { bearerFor, originFor, segmentFor, timeoutFor } from './options.ts'
import { surroundings, type Surroundings } from './surroundings.ts'

export type ChanceryClientOptions = {
  /** Of the sign listener: https, or http on a loopback address. */
  readonly url: string
  /** An API key, or what gives a token; it is asked for each request, so that it may renew. */
  readonly credential: string | (() => Promise<string>)
  /** Of a call with all of its retries; 10 s unless told. */
  readonly timeoutMs?: number
}

export type Claims = Readonly<Record<string, unknown>>
export type Encoding = 'base64url' | 'base64' | 'hex'

export type ClaimsBody = { readonly claims: Claims }
export type InputBody = { readonly signingInput: string; readonly encoding?: Encoding }
/** Base64 or base64url. */
export type BytesBody =
  | { readonly message: string; readonly encoding?: Encoding }
  | { readonly digest: string; readonly encoding?: Encoding }

export type CallOptions = {
  readonly signal?: AbortSignal
  /** 1 to 64 of `A-Za-z0-9._-`: stands in the service's log and audit. */
  readonly requestId?: string
}

type Named = { readonly version?: number }

/** Every method rejects with a `ChanceryError`, or with its signal's reason. */
export interface ChanceryClient {
  /** Asks for a signature, each time: every call is an audit record, and may be billed. */
  sign(key: string, body: ClaimsBody, options?: CallOptions): Promise<SignedJwt>
  sign(key: string, body: InputBody, options?: CallOptions): Promise<SignedInput>
  sign(key: string, body: BytesBody, options?: CallOptions): Promise<SignedBytes>

  /**
   * A JWT with these claims that is good for another minute at least, signed when there is none yet.
   * Those who ask at the same time share one request; it is kept until 60 s before its `exp`.
   */
  jwt(key: string, claims?: Claims): Promise<SignedJwt>

  /** Of the version that signs now, or of the one that is named. */
  fingerprint(key: string, options?: Named & CallOptions): Promise<VersionFingerprints>
  /** Of every version that verifiers may see. */
  fingerprint(
    key: string,
    options: { readonly version: 'all' } & CallOptions,
  ): Promise<readonly VersionFingerprints[]>
  /** One of them alone, to compare with what a registry shows. */
  fingerprint(
    key: string,
    options: { readonly format: FingerprintFormat } & Named & CallOptions,
  ): Promise<string>
}

const timeoutMsDefault = 10_000

/** What a request may take in the service: https://www.rfc-editor.org/rfc/rfc9110, in our own header. */
const serviceMsMax = 5_000

/** Each key and set of claims: more than an application has, and a bound. */
const keptMax = 256

/** @throws {ChanceryError} `bad_option`. */
export function createChanceryClient(options: ChanceryClientOptions): ChanceryClient {
  return clientIn(surroundings, options)
}

/** As `createChanceryClient`, in a world that is told. */
export function clientIn(
  around: Surroundings,
  { url, credential, timeoutMs = timeoutMsDefault }: ChanceryClientOptions,
): ChanceryClient {
  const ask = asker(around, originFor(url, 'url'), credential, timeoutFor(timeoutMs))

  function sign(key: string, body: ClaimsBody, options?: CallOptions): Promise<SignedJwt>
  function sign(key: string, body: InputBody, options?: CallOptions): Promise<SignedInput>
  function sign(key: string, body: BytesBody, options?: CallOptions): Promise<SignedBytes>
  async function sign(
    key: string,
    body: ClaimsBody | InputBody | BytesBody,
    options: CallOptions = {},
  ): Promise<SignedJwt | SignedInput | SignedBytes> {
    const members = objectIn(await ask(`${pathOf(key)}/sign`, body, options))
    if ('claims' in body) return readJwt(key, members)
    return 'signingInput' in body ? readInput(key, members) : readBytes(key, members)
  }

  const jwts = new Map<string, () => Promise<{ readonly signed: SignedJwt }>>()
  const makeJwt = async (key: string, claims: Claims) => {
    const answer = await ask(`${pathOf(key)}/sign`, { claims }, {})
    const signed = readJwt(key, objectIn(answer))
    return { signed, ...lasting(answer, signed.expiresAt ?? undefined) }
  }
  async function jwt(key: string, claims: Claims = {}): Promise<SignedJwt> {
    const id = JSON.stringify([key, claims])
    const known = jwts.get(id) ?? kept(around, () => makeJwt(key, claims))
    jwts.delete(id)
    jwts.set(id, known) // the latest at the end
    const [oldest] = jwts.keys()
    if (jwts.size > keptMax && oldest !== undefined) jwts.delete(oldest)
    return (await known()).signed
  }

  return { sign, jwt, fingerprint: fingerprintBy(ask) }
}

type Ask = (path: string, body: object | undefined, options: CallOptions) => Promise<Answer>

function asker(
  around: Surroundings,
  origin: string,
  credential: ChanceryClientOptions['credential'],
  timeoutMs: number,
): Ask {
  return async (path, body, { signal, requestId }) => {
    const headers = async (remainingMs: number) => ({
      Accept: 'application/json',
      Authorization: await bearerFor(credential),
      // Nobody waits for what comes later: the service need not finish it.
      'X-Request-Timeout': String(Math.ceil(Math.min(Math.max(remainingMs, 1), serviceMsMax))),
      ...(body && { 'Content-Type': 'application/json' }),
      ...(requestId !== undefined && { 'X-Request-Id': segmentFor(requestId, 'requestId') }),
    })
    const method = body ? 'POST' : 'GET'
    const question = { method, url: `${origin}${path}`, headers } as const
    const patience: Patience = { timeoutMs, signal }
    const sent = body ? { ...question, body: JSON.stringify(body) } : question
    return exchange(around, sent, patience)
  }
}

type FingerprintOptions = CallOptions & {
  readonly version?: number | 'all'
  readonly format?: FingerprintFormat
}

function fingerprintBy(ask: Ask): ChanceryClient['fingerprint'] {
  function fingerprint(key: string, options?: Named & CallOptions): Promise<VersionFingerprints>
  function fingerprint(
    key: string,
    options: { readonly version: 'all' } & CallOptions,
  ): Promise<readonly VersionFingerprints[]>
  function fingerprint(
    key: string,
    options: { readonly format: FingerprintFormat } & Named & CallOptions,
  ): Promise<string>
  async function fingerprint(
    key: string,
    { version, format, ...options }: FingerprintOptions = {},
  ): Promise<VersionFingerprints | readonly VersionFingerprints[] | string> {
    const query = new URLSearchParams({
      ...(version !== undefined && { version: String(version) }),
      ...(format !== undefined && { format }),
    })
    const asked = query.size === 0 ? '' : `?${query.toString()}`
    const answer = await ask(`${pathOf(key)}/fingerprint${asked}`, undefined, options)
    if (format !== undefined) return textIn(answer)
    const members = objectIn(answer)
    return version === 'all' ? readAllFingerprints(key, members) : readFingerprints(key, members)
  }
  return fingerprint
}

function textIn(answer: Answer): string {
  if (answer.status !== 200) throw problemIn(answer)
  const text = /^([\w:+/=-]+)\n$/.exec(answer.text)?.[1]
  if (text !== undefined) return text
  throw unexpected('no fingerprint alone on a line', answer.status)
}

function pathOf(key: string): string {
  return `/v1/keys/${segmentFor(key, 'key')}`
}
