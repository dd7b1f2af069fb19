import { hash } from 'node:crypto'
import type { InputDigest } from '../audit/input-digest.ts'
import type { AuditLog } from '../audit/log.ts'
import type { Intent, Outcome } from '../audit/records.ts'
import type { Caller } from '../auth/caller.ts'
import { type ErrorCode, ServiceError, toServiceError } from '../errors.ts'
import type { KeyVersion } from '../keys/version.ts'
import { type Bytes, encodeBytes } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import { within } from '../lib/deadline.ts'
import type { UlidSource } from '../lib/ulid.ts'
import type { Grants } from '../policy/decide.ts'
import type { Grant } from '../policy/grant.ts'
import { signDigest, type SigningKey, signMessage } from '../signing/sign.ts'
import type { RequestNote } from '../signing/signer.ts'
import { authorize, noteDenial } from './authorize.ts'
import type { Limits } from './limits.ts'
import { type Content, prepare, type Prepared } from './prepare.ts'
import { releaseWindowMs } from './release-window.ts'
import { needs, type SignForm } from './sign-form.ts'
import type { SigningKeys } from './signing-keys.ts'

export type SignDeps = {
  readonly grants: Grants
  readonly keys: SigningKeys
  readonly audit: AuditLog
  readonly limits: Limits
  readonly clock: Clock
  readonly newId: UlidSource
  readonly inputDigest: InputDigest
}

export type SignCommand = {
  /** Ours, a ulid. */
  readonly request: string
  readonly callerRequest: string | undefined
  readonly caller: Caller
  readonly key: string
  readonly form: SignForm
}

export type Signed = {
  readonly key: string
  readonly version: number
  readonly kid: string
  readonly alg: string
  readonly signature: Bytes
  /** The compact JWT, of `claims` and `signingInput`. */
  readonly jwt: string | undefined
  /** Epoch milliseconds. */
  readonly expiresAt: number | undefined
  readonly vaultMs: number
}

type Allowed = {
  readonly command: SignCommand
  readonly grant: Grant
  readonly prepared: Prepared
}

/** What was found allowed, with the version that is to sign it. */
type Draft = Allowed & {
  readonly version: KeyVersion
  readonly signingKey: SigningKey
  readonly content: Content
}

/**
 * Every transport comes through here, so none can skip a step or change the order.
 *
 * @throws {ServiceError} CONTRACT §1.4; nothing has left then.
 */
export async function signFor(
  deps: SignDeps,
  command: SignCommand,
  signal: AbortSignal,
): Promise<Signed> {
  const { caller, key, request, callerRequest, form } = command
  const asked = { request, callerRequest, caller, key, ...needs[form.kind] }
  const allowed = authorize(deps, asked, (grant) => {
    const overLimit = deps.limits.take(grant)
    const prepared = prepare({ ...deps, versions: deps.keys }, { form, grant, caller })
    if (overLimit) throw overLimit // after what the rules say: the order of checks is API
    return { command, grant, prepared }
  })
  try {
    return await signAllowed(deps, allowed, signal)
  } catch (error) {
    const refusal = toServiceError(error)
    // The transaction that refuses leaves no record of it: this is noted as every other refusal is.
    if (stateRefusals.has(refusal.code)) noteDenial(deps, asked, refusal)
    throw error
  }
}

const stateRefusals: ReadonlySet<ErrorCode> = new Set([
  'suspended',
  'version_revoked',
  'version_not_active',
])

async function signAllowed(deps: SignDeps, allowed: Allowed, signal: AbortSignal): Promise<Signed> {
  const draft = () => draftFor(deps.keys, allowed)
  const first = draft()
  try {
    return await signDraft(deps, first, signal)
  } catch (error) {
    if (!isOutdated(error)) throw error
    // The snapshot was behind: read it again, and once more with the version that signs now.
    await deps.keys.reload(signal, allowed.command.key)
    return signDraft(deps, draft(), signal)
  }
}

function draftFor(keys: SigningKeys, allowed: Allowed): Draft {
  const { command, prepared } = allowed
  const { version, signingKey } = keys.active(command.key, prepared.kid)
  return { ...allowed, version, signingKey, content: prepared.contentFor(version) }
}

/** The audit's transaction found that the version signs no more. */
function isOutdated(error: unknown): boolean {
  const { code } = toServiceError(error)
  return code === 'version_not_active' || code === 'version_revoked'
}

/** Intent and signature side by side; released when both are done and the state is still fresh. */
async function signDraft(deps: SignDeps, draft: Draft, signal: AbortSignal): Promise<Signed> {
  const intent = intentOf(deps, draft)
  const recording = deps.audit.commitIntent(intent, signal)
  const signing = timedSignature(deps.clock, draft, signal)
  try {
    const [readAtMs, signed] = await within(Promise.all([recording, signing]), signal)
    await assertFresh(deps, intent, readAtMs, signal)
    deps.audit.noteOutcome(outcomeOf(deps, intent, 'released', signed))
    return answer(draft, signed)
  } catch (error) {
    signing.catch(() => {}) // it may still come, and is dropped
    const note = () => deps.audit.noteOutcome(outcomeOf(deps, intent, toServiceError(error).code))
    recording.then(note, () => {}) // behind its intent, or not at all
    throw error
  }
}

/** A signature that came late is released only after one more look at the state. */
async function assertFresh(
  { clock, audit }: SignDeps,
  intent: Intent,
  readAtMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (clock.monotonicMs() - readAtMs <= releaseWindowMs) return
  const readAgainAtMs = await within(audit.stillMaySign(intent, signal), signal)
  if (clock.monotonicMs() - readAgainAtMs <= releaseWindowMs) return
  throw new ServiceError('overloaded', 'The signature came too late to be released', {
    details: { retryAfterMs: 1_000 },
  })
}

type Timed = {
  readonly signature: Bytes
  readonly vaultMs: number
  readonly vaultRequest: string | undefined
}

/** The vendor's text is kept for ever: what does not look like an id is not. */
const vaultRequestForm = /^[\w.:-]{1,128}$/

async function timedSignature(clock: Clock, draft: Draft, signal: AbortSignal): Promise<Timed> {
  const startedMs = clock.monotonicMs()
  let vaultRequest: string | undefined
  const signature = await signContent(draft, signal, (id) => {
    if (vaultRequestForm.test(id)) vaultRequest = id
  })
  return { signature, vaultMs: clock.monotonicMs() - startedMs, vaultRequest }
}

function signContent(
  { signingKey, content }: Draft,
  signal: AbortSignal,
  note: RequestNote,
): Promise<Bytes> {
  switch (content.kind) {
    case 'message':
      return signMessage(signingKey, content.bytes, signal, note)
    case 'digest':
      return signDigest(signingKey, content.bytes, signal, note)
  }
}

function answer({ version, prepared, content }: Draft, { signature, vaultMs }: Timed): Signed {
  const { key, n, kid, algorithm: alg } = version
  const { expiresAt } = prepared
  const { signingInput } = content
  // The compact serialisation, RFC 7515 §7.1.
  const jwt = signingInput && `${signingInput}.${encodeBytes(signature, 'base64url')}`
  return { key, version: n, kid, alg, signature, jwt, expiresAt, vaultMs }
}

function intentOf({ clock, inputDigest }: SignDeps, draft: Draft): Intent {
  const { command, grant, prepared, version, content } = draft
  return {
    type: 'intent',
    at: clock.now(),
    request: command.request,
    callerRequest: command.callerRequest,
    caller: command.caller.name,
    key: version.key,
    version: version.n,
    kid: version.kid,
    alg: version.algorithm,
    operation: needs[command.form.kind].operation,
    grant: grant.name,
    inputDigest: inputDigest(content.bytes),
    jti: prepared.jti,
    exp: prepared.expiresAt,
  }
}

function outcomeOf(
  { clock }: SignDeps,
  { request }: Intent,
  result: 'released' | ErrorCode,
  signed?: Timed,
): Outcome {
  const signatureDigest = signed && hash('sha256', signed.signature, 'base64url')
  return {
    type: 'outcome',
    at: clock.now(),
    request,
    result,
    signatureDigest,
    vaultMs: signed?.vaultMs,
    vaultRequest: signed?.vaultRequest,
  }
}
