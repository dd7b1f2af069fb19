import { ServiceError } from '../errors.ts'
import type { Caller } from '../auth/caller.ts'
import type { Key } from '../keys/key.ts'
import type { KeyVersion } from '../keys/version.ts'
import { type Bytes, encodeBytes, utf8 } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import type { JsonObject } from '../lib/json.ts'
import type { UlidSource } from '../lib/ulid.ts'
import type { Grant } from '../policy/grant.ts'
import {
  checkClaims,
  type ClaimsDecision,
  type ClaimsRefusal,
  composeClaims,
  type JwtContext,
} from '../policy/jwt.ts'
import type { Profile } from '../policy/profiles.ts'
import { checkHeader, looksLikeSigningInput, parseSigningInput } from '../policy/signing-input.ts'
import { digestBytes, signsHash } from '../signing/algorithms.ts'
import type { SignForm } from './sign-form.ts'

/** What is signed. */
export type Content =
  /** The exact bytes, and their text where they are a JWS signing input. */
  | {
      readonly kind: 'message'
      readonly bytes: Uint8Array
      readonly signingInput: string | undefined
    }
  /** A digest of bytes that nobody here has. */
  | { readonly kind: 'digest'; readonly bytes: Bytes; readonly signingInput: undefined }

const messageBytesMax = 8_192

/** What was found allowed, ready for whichever version signs it. */
export type Prepared = {
  /** What this version would sign: a JWS signing input names the version's kid. */
  readonly contentFor: (version: KeyVersion) => Content
  /** Epoch milliseconds; undefined where nothing expires. */
  readonly expiresAt: number | undefined
  readonly jti: string | undefined
  /** Of the version that has to sign it; undefined where the latest one does. */
  readonly kid: string | undefined
}

/** What is known of a key's versions while nothing has been opened. */
export interface VersionChoice {
  /** The kid of the version that signs now; undefined when none does. */
  activeKid(key: string): string | undefined
  /** The version with a kid: one that signs, else the latest, whatever its state. */
  versionNamed(key: string, kid: string): KeyVersion | undefined
}

export type PrepareDeps = {
  readonly clock: Clock
  readonly newId: UlidSource
  readonly versions: VersionChoice
}

type PrepareContext = {
  readonly grant: Grant
  readonly caller: Caller
  readonly nowMs: number
  readonly newId: () => string
  readonly activeKid: string | undefined
  readonly versionNamed: (kid: string) => KeyVersion | undefined
}

/**
 * What depends on the key, then the claim rules: for a request, and for whoever wants to know what
 * would become of one.
 *
 * @throws {ServiceError} `malformed_request` (a digest of another length), `malformed_signing_input`,
 *   `claim_not_allowed`, `message_too_large`, `looks_like_jwt`, `version_not_active`, `claims_refused`.
 */
export function prepare(
  { clock, newId, versions }: PrepareDeps,
  {
    form,
    grant,
    caller,
  }: { readonly form: SignForm; readonly grant: Grant; readonly caller: Caller },
): Prepared {
  const nowMs = clock.now()
  const key = grant.key.name
  const context = {
    grant,
    caller,
    nowMs,
    newId: () => newId(nowMs),
    activeKid: versions.activeKid(key),
    versionNamed: (kid: string) => versions.versionNamed(key, kid),
  }
  switch (form.kind) {
    case 'claims':
      return prepareClaims(form.claims, context)
    case 'signingInput':
      return prepareSigningInput(form.text, context)
    case 'message':
      return prepareMessage(form.message)
    case 'digest':
      return prepareDigest(form.digest, grant.key)
  }
}

function prepareClaims(sent: JsonObject, context: PrepareContext): Prepared {
  const profile = profileOf(context.grant)
  const decision = composeClaims(sent, jwtContext(profile, context), context.newId())
  const { claims, expiresAt } = allowed(decision)
  const { versionClaim, kidInHeader } = profile
  const payload = segment(claims)
  return {
    contentFor: ({ algorithm: alg, kid }) => {
      const header = kidInHeader ? { alg, typ: 'JWT', kid } : { alg, typ: 'JWT' }
      const named =
        versionClaim === undefined ? payload : segment({ [versionClaim]: kid, ...claims })
      return signingInputContent(`${segment(header)}.${named}`)
    },
    expiresAt,
    jti: jtiOf(claims),
    kid: undefined,
  }
}

function prepareSigningInput(text: string, context: PrepareContext): Prepared {
  const profile = profileOf(context.grant)
  const { header, claims } = parseSigningInput(text)
  const alg = context.grant.key.algorithm.name
  const { kidInHeader, headerIsExact } = profile
  const kid = checkHeader(header, { alg, kidInHeader, headerIsExact })
  if (context.activeKid !== undefined) assertKid(kid, context.activeKid)
  const named = namedVersion(claims, profile, context)
  const { expiresAt } = allowed(checkClaims(claims, jwtContext(profile, context)))
  const content = signingInputContent(text)
  return {
    contentFor: (version) => {
      assertKid(kid, version.kid)
      return content
    },
    expiresAt,
    jti: jtiOf(claims),
    kid: named?.kid,
  }
}

/**
 * The version that a claim names, where the profile has such a claim; whether there is one is for the
 * claim rules to say.
 */
function namedVersion(
  claims: JsonObject,
  { versionClaim }: Profile,
  { versionNamed, activeKid }: PrepareContext,
): KeyVersion | undefined {
  const name = versionClaim === undefined ? undefined : claims[versionClaim]
  const version = typeof name === 'string' ? versionNamed(name) : undefined
  if (version === undefined || mayStillSign(version)) return version
  throw new ServiceError(
    'version_not_active',
    `The ${versionClaim} is of a version that signs no more`,
    {
      details: activeKid === undefined ? {} : { activeKid },
    },
  )
}

/** A revoked one is refused where every version is: when it is chosen, and in the intent's transaction. */
function mayStillSign({ state }: KeyVersion): boolean {
  return state === 'active' || state === 'revoked'
}

function prepareMessage(message: Uint8Array): Prepared {
  if (message.length > messageBytesMax) {
    throw new ServiceError('message_too_large', `A message has at most ${messageBytesMax} bytes`)
  }
  if (looksLikeSigningInput(message)) {
    const text = 'The message is a JWS signing input: ask for a key of purpose jwt'
    throw new ServiceError('looks_like_jwt', text)
  }
  return bare({ kind: 'message', bytes: message, signingInput: undefined })
}

/** Nothing can be looked for in a digest: that its key signs no JWTs is all that there is. */
function prepareDigest(digest: Bytes, { name, algorithm }: Key): Prepared {
  if (!signsHash(algorithm)) throw new TypeError(`${name} is granted sign-digest and signs none`)
  const bytes = digestBytes(algorithm)
  if (digest.length === bytes)
    return bare({ kind: 'digest', bytes: digest, signingInput: undefined })
  const message = `${algorithm.name} signs a digest of ${bytes} bytes`
  throw new ServiceError('malformed_request', message, {
    details: { issues: [{ path: 'digest', message }] },
  })
}

/** Nothing of it expires, and every version signs the same. */
function bare(content: Content): Prepared {
  return { contentFor: () => content, expiresAt: undefined, jti: undefined, kid: undefined }
}

function signingInputContent(signingInput: string): Content {
  return { kind: 'message', bytes: utf8(signingInput), signingInput }
}

function jwtContext(
  profile: Profile,
  { grant, caller, nowMs, versionNamed }: PrepareContext,
): JwtContext {
  const isVersion = (name: unknown) => typeof name === 'string' && versionNamed(name) !== undefined
  return { profile, grant, caller: caller.attributes, nowMs, isVersion }
}

function assertKid(kid: string | undefined, activeKid: string): void {
  if (kid === undefined || kid === activeKid) return
  throw new ServiceError(
    'version_not_active',
    'The kid is not that of the version that signs now',
    {
      details: { activeKid },
    },
  )
}

function allowed(decision: ClaimsDecision): Exclude<ClaimsDecision, ClaimsRefusal> {
  if (decision.verdict === 'allow') return decision
  if (decision.code === 'claims_refused') {
    const { rule } = decision
    throw new ServiceError('claims_refused', `The rule ${rule} refused the claims`, {
      details: { rule },
    })
  }
  const { claim } = decision
  const message = `The service sets ${claim} itself: do not send it`
  throw new ServiceError('claim_not_allowed', message, { details: { claim } })
}

function profileOf({ key, profile }: Grant): Profile {
  if (!profile) throw new TypeError(`${key.name} has purpose jwt and no profile`)
  return profile
}

function segment(value: object): string {
  return encodeBytes(utf8(JSON.stringify(value)), 'base64url')
}

/** Kept in the audit for ever: an id, and no place to park text. */
function jtiOf({ jti }: JsonObject): string | undefined {
  return typeof jti === 'string' && /^[\w.:-]{1,128}$/.test(jti) ? jti : undefined
}
