import type { Authenticator, Caller, Credential } from '../../../src/auth/caller.ts'
import { signApp } from '../../../src/http/app.ts'
import { keyName } from '../../../src/keys/key.ts'
import type { Clock } from '../../../src/lib/clock.ts'
import { silentLogger } from '../../../src/lib/log.ts'
import type { ClaimCheck, ClaimRule } from '../../../src/policy/claim-rules.ts'
import { indexGrants } from '../../../src/policy/decide.ts'
import type { Grant } from '../../../src/policy/grant.ts'
import { Limits } from '../../../src/service/limits.ts'
import { algorithm } from '../../../src/signing/algorithms.ts'
import { rememberingAudit } from '../../support/audit-log.ts'
import { grantOn, keyOf } from '../../support/grant.ts'
import { type HeldPart, heldVersion, signingService } from '../../support/signing-service.ts'
import { memoryKey } from '../../support/memory-key.ts'
import { watchedSigner } from '../../support/watched-signer.ts'
import { callers, grants, keys, type KeyWords, nowMs, type RuleWords } from './estate.ts'

/** The whole sign listener, with the estate's keys, callers and grants; a bearer is a caller's name. */
export async function estateService() {
  const keysByName = new Map(
    Object.entries(keys).map(([name, words]: [string, KeyWords]) => {
      const { profile } = words
      const part = { algorithm: algorithm(words.alg), ...(profile ? { profile } : {}) }
      return [name, keyOf(keyName.parse(name), part)]
    }),
  )
  const vaults = new Map(
    Object.entries(keys).map(([name, { alg }]) => [name, watchedSigner(memoryKey(alg).signer)]),
  )
  const held = [...keysByName.values()].flatMap((key) =>
    (wordsOf(key.name)?.versions ?? []).map(({ kid, state }, i) => {
      const signer = vaults.get(key.name)
      const part: HeldPart = { kid, state, n: i + 1, ...(signer ? { signer } : {}) }
      return heldVersion(key, part)
    }),
  )
  const passing = { ms: 0 }
  const clock: Clock = { now: () => nowMs, monotonicMs: () => passing.ms }
  const built = grants.map((words, i): Grant => {
    const key = keysByName.get(words.key)
    if (!key) throw new TypeError(`no key ${words.key}`)
    const ofKey = grantOn(key)
    return {
      ...ofKey,
      name: `grants[${i}]`,
      caller: words.caller,
      operations: words.operations,
      lifetimeSecondsMax: words.maxLifetime,
      noExpiry: words.noExpiry ?? false,
      limitPerSecond: words.limit,
      claims: [...ofKey.claims, ...Object.entries(words.claims ?? {}).map(ruleOf)],
    }
  })
  const service = await signingService({ held, grants: [] })
  const audit = rememberingAudit(clock)
  const app = signApp({
    ...service.deps,
    audit,
    clock,
    limits: new Limits(clock),
    grants: indexGrants(built),
    authenticator: byName,
    log: silentLogger,
    isClosing: () => false,
    observe: () => {},
  })
  /** Every bucket is full again. */
  const passTime = () => void (passing.ms += 10_000)
  return { app, audit, vaults, passTime }
}

export type EstateService = Awaited<ReturnType<typeof estateService>>

function wordsOf(name: string): KeyWords | undefined {
  return new Map<string, KeyWords>(Object.entries(keys)).get(name)
}

const byName: Authenticator<Credential> = {
  async authenticate(credential) {
    const name = credential.kind === 'bearer' ? credential.text : ''
    const caller = known.get(name)
    return caller ? { caller } : { refused: 'unknown_api_key' }
  },
}

const known = new Map(
  Object.entries(callers).map(([name, attributes]): [string, Caller] => [
    name,
    { name, attributes: { ...attributes, name } },
  ]),
)

function ruleOf([claim, rule]: [string, RuleWords]): ClaimRule {
  return { claim, optional: rule.optional ?? false, check: checkOf(rule) }
}

function checkOf({ const: value, oneOf, prefix, text, fromCaller }: RuleWords): ClaimCheck {
  if (value !== undefined) return { kind: 'const', value }
  if (oneOf) return { kind: 'oneOf', values: oneOf }
  if (prefix !== undefined) return { kind: 'prefix', prefix }
  if (text !== undefined) return { kind: 'text', charactersMax: text }
  return { kind: 'fromCaller', attribute: fromCaller ?? '' }
}
