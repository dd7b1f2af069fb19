import { type Ask, type Case, type Members } from './case.ts'
import { allowed, type Signed } from './denotation.ts'
import { callers, type GrantWords, grants, type KeyWords, now, wordsOf } from './estate.ts'
import { isBounded, isWhole } from './bounds.ts'
import { lifeOf, type Saying, sayingOf } from './sayings.ts'
import { ruleChecks } from './rules.ts'

/**
 * Who may sign what, written down from CONTRACT §1 and DESIGN §4 and from nothing in `src`: a request
 * meets a list of objections in the order that is API, and the first one is the answer.
 */
type Facts = {
  readonly asked: Case
  readonly ask: Ask
  readonly onKey: readonly GrantWords[]
  /** The one that covers the operation; any other where none does. */
  readonly grant: GrantWords
  readonly key: KeyWords
  readonly saying: Saying | undefined
}

type Objection = (facts: Facts) => string | false | undefined

const operationOf = {
  claims: 'sign-claims',
  signingInput: 'sign-input',
  message: 'sign-message',
  digest: 'sign-digest',
  read: 'read-fingerprint',
} as const

/** CONTRACT §1, "Order of checks, part of the API", from the shape of the body on. */
const objections: readonly Objection[] = [
  ({ ask }) => ask.form === 'claims' && !isBounded(ask.claims) && '400 malformed_request',
  ({ onKey }) => onKey.length === 0 && '404 key_not_found',
  ({ ask, saying }) => isOtherPurpose(ask, saying) && '400 wrong_purpose',
  ({ ask, onKey }) => !isCovered(onKey, ask) && '403 operation_not_granted',
  ({ ask, key, saying }) =>
    ask.form === 'signingInput' &&
    !(isHeaderOf(ask.header, key, saying) && isBounded(ask.payload) && isWhole(ask.payload)) &&
    '400 malformed_signing_input',
  ({ ask }) => ask.form === 'message' && ask.text.length > 8_192 && '413 message_too_large',
  ({ ask }) => ask.form === 'message' && ask.isJws && '400 looks_like_jwt',
  ({ ask, key }) =>
    ask.form === 'digest' && ask.bytes * 8 !== Number(key.alg.slice(2)) && '400 malformed_request',
  ({ ask, key }) =>
    ask.form === 'signingInput' &&
    ask.header['kid'] !== undefined &&
    latest(key) !== undefined &&
    ask.header['kid'] !== latest(key)?.kid &&
    inactive(key),
  ({ ask, key, saying }) => {
    const state = ask.form === 'signingInput' && stateOf(key, saying, ask.payload)
    return state && state !== 'active' && state !== 'revoked' && inactive(key)
  },
  ({ ask, saying }) =>
    ask.form === 'claims' &&
    firstOf(
      (saying?.sets ?? [])
        .filter((name) => !(name === 'iat' && saying?.takesIat))
        .map((name) => [`400 claim_not_allowed ${name}`, ask.claims[name] === undefined]),
    ),
  (facts) => firstOf(checksOf(facts)),
  ({ asked, grant, saying, onKey }) =>
    grant.limit !== undefined &&
    asked.before &&
    !isOtherPurpose(asked.before, saying) && // else it came to no grant, and to no limit
    isCovered(onKey, asked.before) &&
    '429 rate_limited',
  ({ ask, key, saying }) =>
    ask.form === 'signingInput' &&
    stateOf(key, saying, ask.payload) === 'revoked' &&
    '403 version_revoked',
  ({ key }) => latest(key) === undefined && '503 no_active_version',
]

/** What the service has to answer: a refusal, or what exactly it signs. */
export function verdictOf(asked: Case): string {
  const facts = factsOf(asked)
  for (const objection of objections) {
    const found = facts ? objection(facts) : '404 key_not_found'
    if (found) return found
  }
  return allowed(signedOf(facts))
}

function factsOf(asked: Case): Facts | undefined {
  const key = wordsOf(asked.key)
  const { ask, caller } = asked
  const onKey = grants.filter((grant) => grant.caller === caller && grant.key === asked.key)
  const covering = onKey.find(({ operations }) => operations.includes(operationOf[ask.form]))
  const grant = covering ?? { caller, key: asked.key, operations: [] }
  return key && { asked, ask, onKey, grant, key, saying: sayingOf(key) }
}

function isOtherPurpose({ form }: Ask, saying: Saying | undefined): boolean {
  return form !== 'read' && isBytes(form) === (saying !== undefined)
}

function isCovered(onKey: readonly GrantWords[], { form }: Ask): boolean {
  return onKey.some(({ operations }) => operations.includes(operationOf[form]))
}

function isBytes(form: Ask['form']): boolean {
  return form === 'message' || form === 'digest'
}

/** Only what the service itself would say; `api-key-token` says exactly that. */
function isHeaderOf(header: Members, { alg }: KeyWords, saying: Saying | undefined): boolean {
  const said = Object.keys(header).filter((name) => header[name] !== undefined)
  const { typ = saying?.isExact ? undefined : 'JWT', kid = '' } = header
  const members = ['alg', 'typ', ...(saying?.kid ? ['kid'] : [])]
  const isKnown = said.every((name) => members.includes(name))
  return isKnown && header['alg'] === alg && typ === 'JWT' && typeof kid === 'string'
}

/** The version that signs when nobody says which. */
function latest({ versions }: KeyWords): KeyWords['versions'][number] | undefined {
  return versions.filter(({ state }) => state === 'active').pop()
}

/** Of the version that a payload names: of several with one id, the one that signs, else the last. */
function stateOf(
  { versions }: KeyWords,
  saying: Saying | undefined,
  payload: Members,
): string | undefined {
  if (!saying?.names) return undefined
  const named = versions.filter(({ kid }) => kid === payload['key_id'])
  const states = named.map(({ state }) => state)
  return states.includes('active') ? 'active' : states.pop()
}

function inactive(key: KeyWords): string {
  return `409 version_not_active ${latest(key)?.kid ?? ''}`.trim()
}

type Check = readonly [refusal: string, holds: boolean]

function firstOf(checks: readonly Check[]): string | undefined {
  return checks.find(([, holds]) => !holds)?.[0]
}

function refusals(checks: readonly Check[]): readonly Check[] {
  return checks.map(([rule, holds]) => [`403 claims_refused ${rule}`, holds])
}

/** The claim rules in their order: what the key says, the grant's, the times. */
function checksOf({ asked, ask, grant, key, saying }: Facts): readonly Check[] {
  if (!saying || (ask.form !== 'claims' && ask.form !== 'signingInput')) return []
  const sent = ask.form === 'claims' ? ask.claims : ask.payload
  const others = Object.entries(sent).filter(
    ([name, value]) => value !== undefined && !saying.sets.includes(name),
  )
  const rules = { ...saying.asks, ...grant.claims }
  const listed = ruleChecks(rules, Object.fromEntries(others), callers[asked.caller])
  if (!saying.expires) {
    const isNamed = ask.form === 'claims' || stateOf(key, saying, sent) !== undefined
    return refusals([['noExpiry', grant.noExpiry === true], ['key_id.const', isNamed], ...listed])
  }
  const { iat, exp, jti } = sent
  const isRecent = typeof iat === 'number' && iat >= now - 65 && iat <= now + 65
  if (ask.form === 'claims') {
    return refusals([...listed, ['iat.skew', iat === undefined || isRecent]])
  }
  const life = typeof exp === 'number' && typeof iat === 'number' ? exp - iat : 0
  return refusals([
    ...Object.entries(saying.says).flatMap(([name, value]): readonly Check[] => [
      [`${name}.required`, sent[name] !== undefined],
      [`${name}.const`, sent[name] === value],
    ]),
    ['jti.required', !saying.jti || typeof jti === 'string'],
    ...listed,
    ['iat.required', iat !== undefined],
    ['iat.skew', isRecent],
    ['exp.required', exp !== undefined],
    ['maxLifetime', life >= 1 && life <= lifeOf(saying, grant)],
  ])
}

/** What leaves when nothing was objected. */
function signedOf(facts: Facts | undefined): Signed {
  if (!facts) return { version: 0 }
  const { ask, grant, key, saying } = facts
  const numberOf = (version: KeyWords['versions'][number] | undefined) =>
    version ? key.versions.indexOf(version) + 1 : 0
  const active = latest(key)
  if (!saying || (ask.form !== 'claims' && ask.form !== 'signingInput')) {
    return { version: numberOf(active) }
  }
  const { alg } = key
  if (ask.form === 'claims') {
    const iat = Number(ask.claims['iat'] ?? now - saying.backdated)
    const exp = iat + lifeOf(saying, grant)
    const times = saying.expires ? { iat, exp } : { key_id: active?.kid }
    const jti = saying.jti ? { jti: 'a ulid' } : {}
    const header = { alg, typ: 'JWT', ...(saying.kid ? { kid: active?.kid } : {}) }
    const payload = { ...ask.claims, ...saying.says, ...jti, ...times }
    return { version: numberOf(active), header, payload, expires: saying.expires ? exp : null }
  }
  const { header, payload } = ask
  const named = key.versions.find(
    ({ kid, state }) => state === 'active' && kid === payload['key_id'],
  )
  const expires = saying.expires ? Number(payload['exp']) : null
  return { version: numberOf(saying.names ? named : active), header, payload, expires }
}
