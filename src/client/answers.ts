import { ChanceryError, problemCodes, type ProblemMembers } from './error.ts'
import type { Answer } from './exchange.ts'
import {
  instantOf,
  type Members,
  membersOf,
  parsed,
  textOf,
  unexpected,
  versionOf,
} from './json.ts'

/** How the service names what signed. */
export type Signed = {
  readonly key: string
  /** `n` of `key@n`. */
  readonly version: number
  readonly kid: string
  readonly alg: string
}

export type SignedJwt = Signed & {
  readonly jwt: string
  /** RFC 3339; null for a token that never expires. */
  readonly expiresAt: string | null
}

export type SignedInput = SignedJwt & { readonly signature: string }

/** `signature` is in the encoding that was asked for, base64url unless told. */
export type SignedBytes = Signed & { readonly signature: string }

export type FingerprintFormat =
  | 'contentful'
  | 'github'
  | 'icr'
  | 'rfc7638'
  | 'ssh'
  | 'spki-sha256-hex'

export type VersionFingerprints = Signed & {
  readonly state: string
  readonly custody: string
  /** By format; empty for a symmetric key. */
  readonly fingerprints: Readonly<Partial<Record<FingerprintFormat, string>>>
}

const jwtShape = /^[\w-]+\.[\w-]+\.[\w-]+$/
const signatureShape = /^[\w+/-]+={0,2}$/

const formats = ['contentful', 'github', 'icr', 'rfc7638', 'ssh', 'spki-sha256-hex'] as const

/** @throws {ChanceryError} what the service refused with, or `unexpected_answer`. */
export function objectIn(answer: Answer): Members {
  if (answer.status !== 200) throw problemIn(answer)
  const members = membersOf(parsed(answer.text))
  if (members) return members
  throw unexpected('no JSON object', answer.status)
}

export function readJwt(key: string, members: Members): SignedJwt {
  const expiresAt = members.get('expiresAt') === null ? null : instantOf(members, 'expiresAt')
  return { ...readSigned(key, members), jwt: textOf(members, 'jwt', jwtShape), expiresAt }
}

export function readInput(key: string, members: Members): SignedInput {
  return { ...readJwt(key, members), signature: textOf(members, 'signature', signatureShape) }
}

export function readBytes(key: string, members: Members): SignedBytes {
  return { ...readSigned(key, members), signature: textOf(members, 'signature', signatureShape) }
}

export function readFingerprints(key: string, members: Members): VersionFingerprints {
  return { ...readSigned(key, members), ...readPublic(members) }
}

/** In a list the key is named once. */
export function readAllFingerprints(key: string, members: Members): readonly VersionFingerprints[] {
  assertAbout(key, members)
  const versions: unknown = members.get('versions')
  if (!Array.isArray(versions)) throw unexpected('no list of versions')
  return versions.map((value: unknown) => {
    const version = membersOf(value)
    if (!version) throw unexpected('a version that is no object')
    return { key, ...readVersion(version), ...readPublic(version) }
  })
}

function readPublic(members: Members): Omit<VersionFingerprints, keyof Signed> {
  const given = membersOf(members.get('fingerprints'))
  if (!given) throw unexpected('no fingerprints')
  const named = formats.filter((format) => given.has(format))
  return {
    state: textOf(members, 'state'),
    custody: textOf(members, 'custody'),
    fingerprints: Object.fromEntries(named.map((format) => [format, textOf(given, format)])),
  }
}

function readSigned(key: string, members: Members): Signed {
  assertAbout(key, members)
  return { key, ...readVersion(members) }
}

function readVersion(members: Members): Omit<Signed, 'key'> {
  return {
    version: versionOf(members),
    kid: textOf(members, 'kid'),
    alg: textOf(members, 'alg'),
  }
}

/** An answer about another key is none: whoever asked would take it for the one that was meant. */
function assertAbout(key: string, members: Members): void {
  if (textOf(members, 'key') !== key) throw unexpected('it is about another key')
}

/** RFC 9457; whatever else stands in the service's place, like a proxy's page, is not repeated. */
export function problemIn({ status, headers, text }: Answer): ChanceryError {
  const members = membersOf(parsed(text)) ?? new Map<string, unknown>()
  const code = problemCodes.find((known) => known === members.get('code'))
  const requestId = headers.get('x-request-id') ?? undefined
  if (code === undefined) {
    const message = `Not the service, or one of another time, answered ${status}`
    return new ChanceryError('unexpected_answer', message, { status, requestId })
  }
  const [title, detail] = [members.get('title'), members.get('detail')].filter(isText)
  const message = [title, detail].filter(isText).join('. ')
  return new ChanceryError(code, message, { status, requestId, problem: problemMembers(members) })
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function problemMembers(members: Members): ProblemMembers {
  const [rule, claim, activeKid] = ['rule', 'claim', 'activeKid'].map((name) => members.get(name))
  const issues: unknown = members.get('issues')
  return {
    ...(isText(rule) && { rule }),
    ...(isText(claim) && { claim }),
    ...(isText(activeKid) && { activeKid }),
    ...(Array.isArray(issues) && { issues: issues.flatMap(readIssue) }),
  }
}

function readIssue(value: unknown): readonly { readonly path: string; readonly message: string }[] {
  const issue = membersOf(value)
  const [path, message] = [issue?.get('path'), issue?.get('message')]
  return isText(path) && isText(message) ? [{ path, message }] : []
}
