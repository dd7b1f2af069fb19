import { ServiceError } from '../errors.ts'
import type { Caller } from '../auth/caller.ts'
import type { KeyVersion } from '../keys/version.ts'
import { encodeBytes, utf8 } from '../lib/bytes.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Grant } from '../policy/grant.ts'
import {
  checkClaims,
  type ClaimsDecision,
  type ClaimsRefusal,
  composeClaims,
} from '../policy/jwt.ts'
import type { Profile } from '../policy/profiles.ts'
import type { SignForm } from './sign-form.ts'
import { checkHeader, looksLikeSigningInput, parseSigningInput } from '../policy/signing-input.ts'

/** The exact bytes to sign, and their text where they are a JWS signing input. */
export type Content = { readonly message: Uint8Array; readonly signingInput: string | undefined }

const messageBytesMax = 8_192

/** What was found allowed, ready for whichever version signs it. */
export type Prepared = {
  /** What this version would sign: a JWS signing input names the version's kid. */
  readonly contentFor: (version: KeyVersion) => Content
  /** Epoch milliseconds; undefined where nothing expires. */
  readonly expiresAt: number | undefined
  readonly jti: string | undefined
}

export type PrepareContext = {
  readonly grant: Grant
  readonly caller: Caller
  readonly nowMs: number
  readonly newId: () => string
  /** The kid of the version that signs now; undefined when none does. */
  readonly activeKid: string | undefined
}

/**
 * What depends on the key, then the claim rules.
 *
 * @throws {ServiceError} `malformed_signing_input`, `claim_not_allowed`, `looks_like_jwt`,
 *   `version_not_active`, `claims_refused`.
 */
export function prepare(form: SignForm, context: PrepareContext): Prepared {
  switch (form.kind) {
    case 'claims':
      return prepareClaims(form.claims, context)
    case 'signingInput':
      return prepareSigningInput(form.text, context)
    case 'message':
      return prepareMessage(form.message)
  }
}

function prepareClaims(sent: JsonObject, context: PrepareContext): Prepared {
  const profile = profileOf(context.grant)
  const decision = composeClaims(sent, jwtContext(profile, context), context.newId())
  const { claims, expiresAt } = allowed(decision)
  const payload = segment(claims)
  return {
    contentFor: ({ algorithm: alg, kid }) => {
      const header = profile.kidInHeader ? { alg, typ: 'JWT', kid } : { alg, typ: 'JWT' }
      return signingInputContent(`${segment(header)}.${payload}`)
    },
    expiresAt,
    jti: jtiOf(claims),
  }
}

function prepareSigningInput(text: string, context: PrepareContext): Prepared {
  const profile = profileOf(context.grant)
  const { header, claims } = parseSigningInput(text)
  const alg = context.grant.key.algorithm.name
  const kid = checkHeader(header, { alg, kidInHeader: profile.kidInHeader })
  if (context.activeKid !== undefined) assertKid(kid, context.activeKid)
  const { expiresAt } = allowed(checkClaims(claims, jwtContext(profile, context)))
  const content = signingInputContent(text)
  return {
    contentFor: (version) => {
      assertKid(kid, version.kid)
      return content
    },
    expiresAt,
    jti: jtiOf(claims),
  }
}

function prepareMessage(message: Uint8Array): Prepared {
  if (message.length > messageBytesMax) {
    throw new ServiceError('message_too_large', `A message has at most ${messageBytesMax} bytes`)
  }
  if (looksLikeSigningInput(message)) {
    const text = 'The message is a JWS signing input: ask for a key of purpose jwt'
    throw new ServiceError('looks_like_jwt', text)
  }
  const content = { message, signingInput: undefined }
  return { contentFor: () => content, expiresAt: undefined, jti: undefined }
}

function signingInputContent(signingInput: string): Content {
  return { message: utf8(signingInput), signingInput }
}

function jwtContext(profile: Profile, { grant, caller, nowMs }: PrepareContext) {
  return { profile, grant, caller: caller.attributes, nowMs }
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
