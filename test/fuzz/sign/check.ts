import { createHmac } from 'node:crypto'
import type { Ask, Case } from '../../policy/matrix/case.ts'
import { verdictOf } from '../../policy/matrix/oracle.ts'
import { type Answer, words } from '../../policy/matrix/put.ts'
import type { EstateService } from '../../policy/matrix/service.ts'
import { memoryKey } from '../../support/memory-key.ts'
import { readNaively } from '../../support/naive-json.ts'
import type { Fuzzed } from './arbitrary.ts'

/** What has to hold of an answer, read without anything of ours. @throws {Error} what does not. */
export function check(service: EstateService, asked: Fuzzed, raw: string, seen: Seen): void {
  const { answer, signed } = seen
  const { status } = answer
  if (status >= 500) throw new Error(`an answer of ${status}`)
  const isUnchanged = asked.changes.length === 0 && !asked.isLatin
  const answered = words(asked.ask, answer)
  const before = asked.isRepeated ? { before: asked.ask } : {}
  if (isUnchanged) same('the oracle', answered, verdictOf({ ...asked, ...before }))
  if (status !== 200) {
    same('signatures of what is refused', signed.length, 0)
    return
  }
  const [bytes = new Uint8Array(), ...more] = signed
  same('signatures of one request', more.length, 0)
  checkSigned(asked, raw, { ...seen, text: Buffer.from(bytes).toString() })
  checkIntent(service, answer)
}

/** What was answered, and the messages that the vault has signed meanwhile. */
export type Seen = { readonly answer: Answer; readonly signed: readonly Uint8Array[] }

/** The bytes that were signed say what was sent, and the oracle allows what they say. */
function checkSigned(
  asked: Fuzzed,
  raw: string,
  { answer, text }: Seen & { readonly text: string },
): void {
  const sent = clear(raw)
  const { jwt = '' } = answer.body
  if ('message' in sent) {
    same('the message', text, Buffer.from(String(sent['message']), 'base64').toString())
    return
  }
  if ('digest' in sent) {
    const digest = Buffer.from(String(sent['digest']), 'base64')
    same('the digest', text, digest.toString())
    same('the length of the digest', digest.length, 32)
    return
  }
  const [header = '', payload = '', signature = ''] = jwt.split('.')
  same('the bytes that were signed', text, `${header}.${payload}`)
  if (asked.key === 'face') {
    const mac = createHmac('sha256', memoryKey('HS256').secret).update(text).digest('base64url')
    same('the signature', signature, mac)
  }
  const read = { header: clear(decoded(header)), payload: clear(decoded(payload)) }
  const form: Ask =
    'claims' in sent
      ? { form: 'claims', claims: clear(JSON.stringify(sent['claims'])) }
      : { form: 'signingInput', ...read }
  if ('signingInput' in sent) same('the signing input', text, sent['signingInput'])
  const { caller, key } = asked
  const understood: Case = { caller, key, ask: form, ...(asked.isRepeated ? { before: form } : {}) }
  same('what the oracle allows', words(form, answer), verdictOf(understood))
}

/** The record says of the times and the id what the payload says. */
function checkIntent({ audit }: EstateService, { body }: Answer): void {
  const intent = audit.intents.at(-1)
  const payload = body.jwt === undefined ? {} : clear(decoded(body.jwt.split('.')[1] ?? ''))
  const { exp, jti } = payload
  same('exp', intent?.exp, typeof exp === 'number' ? exp * 1_000 : undefined)
  const isId = typeof jti === 'string' && /^[\w.:-]{1,128}$/.test(jti)
  same('jti', intent?.jti, isId ? jti : undefined)
}

function decoded(segment: string): string {
  return Buffer.from(segment, 'base64url').toString()
}

/** An object of which every reader sees the same members. */
function clear(text: string): Readonly<Record<string, unknown>> {
  same('what a naive reader says of it', `${readNaively(text)}: ${text}`, `clear: ${text}`)
  const value: unknown = JSON.parse(text)
  if (typeof value === 'object' && value !== null) return { ...value }
  throw new Error(`no object: ${text}`)
}

function same(what: string, actual: unknown, expected: unknown): void {
  if (actual === expected) return
  throw new Error(`${what}: ${String(actual)}, and not ${String(expected)}`)
}
