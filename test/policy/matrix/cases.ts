import type { Ask, Case, Members } from './case.ts'
import { bounded, foreignHeaders, goodClaims, tokenNames } from './variants.ts'
import { type CallerName, callers, keys, type KeyName, now } from './estate.ts'
import { goodHeader, goodPayload, input } from './good.ts'

const callerNames = Object.keys(callers).filter((name): name is CallerName =>
  Object.hasOwn(callers, name),
)
const keyNames = Object.keys(keys).filter((name): name is KeyName => Object.hasOwn(keys, name))

/** Every case there is, by what it varies. */
export function* matrix(): Generator<Case> {
  yield* everyCallerOnEveryKey()
  yield* claimRules()
  yield* claimsThatTheServiceSets()
  yield* headers()
  yield* tokensWithoutExpiry()
  yield* times()
  yield* limits()
  yield* bounds()
}

/** Callers × keys × operations, each as good as it can be. */
function* everyCallerOnEveryKey(): Generator<Case> {
  for (const caller of callerNames) {
    for (const key of [...keyNames, 'nobody-has-this']) {
      const payload = goodPayload(key)
      yield { caller, key, ask: { form: 'claims', claims: goodClaims(key) } }
      yield { caller, key, ask: input(goodHeader(key), payload) }
      for (const ask of messages) yield { caller, key, ask }
      yield { caller, key, ask: { form: 'read' } }
    }
  }
}

const messages: readonly Ask[] = [
  { form: 'message', text: '', isJws: false },
  { form: 'message', text: '{"alg":"HS256"}.{}', isJws: false },
  { form: 'message', text: 'eyJhbGciOiJIUzI1NiJ9.e30', isJws: true },
  { form: 'message', text: 'a'.repeat(8_192), isJws: false },
  { form: 'message', text: 'a'.repeat(8_193), isJws: false },
  ...[0, 20, 31, 32, 33, 48, 64, 8_193].map((bytes) => ({ form: 'digest', bytes }) as const),
]

/** The same claims, sent for us to sign and as a signing input. */
function* both(caller: CallerName, key: string, claims: Members): Generator<Case> {
  yield { caller, key, ask: { form: 'claims', claims } }
  yield { caller, key, ask: input(goodHeader(key), { ...goodPayload(key), ...claims }) }
}

/** For every rule: met, not sent, sent otherwise; in all combinations. */
function* claimRules(): Generator<Case> {
  const good = goodClaims('reports')
  const subs = [undefined, 'tenant:1', 'tenant', 'xtenant:1']
  const roles = [undefined, 'writer', 'read']
  const auds = [undefined, 'https://reports.example', 'https://reports.example/']
  const notes = [undefined, 'n'.repeat(20), 'n'.repeat(21)]
  const repos = [undefined, '1234', '123']
  const combined = subs.flatMap((sub) =>
    roles.flatMap((role) =>
      auds.flatMap((aud) =>
        notes.flatMap((note) => repos.map((repo) => ({ sub, role, aud, note, repo }))),
      ),
    ),
  )
  for (const claims of combined) yield* both('both', 'reports', claims)
  const callersOfRules: readonly CallerName[] = ['both', 'anonymous', 'split', 'hasty', 'limited']
  for (const caller of callersOfRules) {
    for (const other of single) yield* both(caller, 'reports', { ...good, ...other })
    for (const sub of ['claims', 'input', undefined]) {
      yield* both(caller, 'reports', { sub })
      yield* both(caller, 'reports', { sub, constructor: 'abc' })
      yield* both(caller, 'reports', { sub, constructor: 'abcd' })
    }
  }
}

/** One claim otherwise. */
const single: readonly Members[] = [
  ...['tenant:', 'Tenant:1', ' tenant:1', 7, null, ['tenant:1'], true].map((sub) => ({ sub })),
  ...['reader', 7, true, '7', 'true', 1, null, ['reader'], ''].map((role) => ({ role })),
  ...[['https://reports.example'], 'HTTPS://reports.example', null, 0].map((aud) => ({ aud })),
  ...['', '\u{1f512}'.repeat(10), '\u{1f512}'.repeat(11), 5, null, {}].map((note) => ({ note })),
  ...[1234, '12345', null, ['1234'], 'spiffe://acme/blog', ''].map((repo) => ({ repo })),
  ...['nbf', 'Sub', 'sub ', 'toString', 'scope', ''].map((name) => ({ [name]: 'tenant:1' })),
  { nbf: now, scope: 'all' },
]

/** Each of them, right and otherwise, on every profile. */
function* claimsThatTheServiceSets(): Generator<Case> {
  const names = ['iss', 'sub', 'aud', 'jti', 'iat', 'exp', 'key_id', 'nbf']
  for (const key of keyNames) {
    const payload = goodPayload(key)
    for (const name of names) {
      for (const value of [payload[name], 'wrong', 7, null, [payload[name]], now]) {
        const changed = { [name]: value }
        yield* both('both', key, { ...goodClaims(key), ...changed })
        yield* both('split', key, { ...goodClaims(key), ...changed })
      }
      const { [name]: _, ...without } = payload
      yield { caller: 'both', key, ask: input(goodHeader(key), without) }
    }
    for (const skew of [-66, -65, -60, 0, 65, 66, 0.5]) {
      yield* both('both', key, { ...goodClaims(key), iat: now + skew })
      yield* both('hasty', key, { ...goodClaims(key), iat: now + skew })
    }
  }
}

function* headers(): Generator<Case> {
  for (const key of keyNames) {
    for (const change of foreignHeaders) {
      const header = { ...goodHeader(key), ...change }
      yield { caller: 'both', key, ask: input(header, goodPayload(key)) }
    }
    const backwards = Object.fromEntries(Object.entries(goodHeader(key)).toReversed())
    yield { caller: 'both', key, ask: input(backwards, goodPayload(key)) }
    yield { caller: 'both', key, ask: input({ ...backwards, kid: 'kid-old' }, {}) }
  }
}

/** The id of each version there is or could be × fingerprints × callers that accept it or do not. */
function* tokensWithoutExpiry(): Generator<Case> {
  const fingerprints = [undefined, 'device-1', '', 'f'.repeat(512), 'f'.repeat(513), 7, null]
  const more: readonly Members[] = [{}, { exp: now + 60 }, { iat: now }, { iss: 'x' }, { sub: '' }]
  const callersOfTokens: readonly CallerName[] = ['both', 'hasty', 'presenter', 'claimer', 'split']
  for (const caller of callersOfTokens) {
    for (const fingerprint of fingerprints) {
      for (const claims of more) {
        const sent = { fingerprint, ...claims }
        yield { caller, key: 'face', ask: { form: 'claims', claims: sent } }
        for (const key_id of tokenNames) {
          yield { caller, key: 'face', ask: input(goodHeader('face'), { key_id, ...sent }) }
        }
      }
    }
  }
}

/** `iat` × `exp`, on every profile that has them, for lifetimes of its own and of the grant. */
function* times(): Generator<Case> {
  const iats = [undefined, null, `${now}`, now - 66, now - 65, now, now + 65, now + 66, now * 1_000]
  const lives = [-1, 0, 1, 100, 101, 300, 301, 600, 601, 900, 901, 600_000]
  for (const key of ['reports', 'bot', 'carbon', 'blog', 'assertion'] as const) {
    for (const caller of ['both', 'hasty', 'limited'] as const) {
      for (const iat of iats) {
        const from = typeof iat === 'number' ? iat : now
        const exps = [undefined, null, `${now + 60}`, ...lives.map((life) => from + life)]
        for (const exp of exps) {
          yield { caller, key, ask: input(goodHeader(key), { ...goodPayload(key), iat, exp }) }
        }
      }
    }
  }
}

/** One a second: what counts, and what is said first. */
function* limits(): Generator<Case> {
  for (const key of keyNames) {
    const good: Ask = { form: 'claims', claims: goodClaims(key) }
    const goodInput = input(goodHeader(key), goodPayload(key))
    const revoked = input(goodHeader(key), { ...goodPayload(key), key_id: 'id-revoked' })
    const refused: Ask = { form: 'claims', claims: { ...goodClaims(key), nbf: now } }
    const message: Ask = { form: 'message', text: 'a', isJws: false }
    const digest: Ask = { form: 'digest', bytes: 32 }
    const asks = [good, goodInput, revoked, refused, message, digest]
    for (const before of asks) {
      for (const ask of asks) {
        yield { caller: 'limited', key, ask, before }
        yield { caller: 'both', key, ask, before }
      }
    }
  }
}

function* bounds(): Generator<Case> {
  for (const claims of bounded) {
    for (const caller of ['both', 'reader', 'stranger'] as const) {
      yield* both(caller, 'reports', { ...goodClaims('reports'), ...claims })
    }
  }
}
