import * as fc from 'fast-check'
import type { ProfileSettings } from '../../src/keys/key.ts'
import type { ClaimCheck, ClaimRule } from '../../src/policy/claim-rules.ts'
import { type Operation, operationsOf } from '../../src/policy/grant.ts'
import { type AlgorithmName, algorithmNames } from '../../src/signing/algorithms.ts'
import { anyCallers, type CallerDraft, type Written, writtenCaller } from './any-callers.ts'

/** A configuration in the words of its author, before anybody writes it down. */
export type Draft = {
  readonly environment: string
  readonly sqlite: string
  readonly digestKeyFile: string
  readonly listen: ListenDraft | undefined
  readonly vaults: readonly string[]
  readonly keys: readonly KeyDraft[]
  readonly callers: readonly CallerDraft[]
  readonly grants: readonly GrantDraft[]
}

export type ListenDraft = {
  readonly signPort: number
  readonly signHost: string
  readonly behindProxy: boolean
  readonly opsPort: number
  readonly drainDelay: Written<number>
  readonly tls: TlsDraft | undefined
}

type TlsDraft = {
  readonly certificateFile: string
  readonly keyFile: string
  readonly clientCaFile?: string
}

export type KeyDraft = {
  readonly name: string
  readonly vault: string
  readonly alg: AlgorithmName
  readonly modulusBits: 2048 | 3072 | 4096 | undefined
  readonly profile: ProfileSettings | undefined
  readonly methods: readonly string[] | undefined
  readonly rotation: RotationDraft | undefined
}

export type RotationDraft = {
  readonly every: Written<number> | undefined
  readonly standby: 0 | 1 | undefined
  readonly propagation: Written<number> | undefined
}

export type GrantDraft = {
  readonly caller: string
  readonly key: string
  readonly operations: readonly Operation[]
  readonly maxLifetime: Written<number> | undefined
  readonly noExpiry: true | undefined
  readonly limit: Written<number> | undefined
  readonly claims: readonly ClaimRule[] | undefined
}

const name = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
  fc.constantFrom('constructor', 'true', 'null', 'no', 'a'.repeat(63)),
)
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
const relativePath = fc.stringMatching(/^(?:\.{1,2}\/){0,2}[a-z]{1,8}(?:\/[a-z. ]{0,6}[a-z]){0,2}$/)

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const duration = fc
  .tuple(fc.integer({ min: 1, max: 999_999 }), fc.constantFrom('s', 'm', 'h', 'd'))
  .map(([count, unit]) => ({ text: `${count}${unit}`, value: count * unitMs[unit] }))
const rate = fc
  .tuple(fc.integer({ min: 1, max: 9_999_999 }), fc.constantFrom('s', 'm'))
  .map(([count, unit]) => ({ text: `${count}/${unit}`, value: unit === 's' ? count : count / 60 }))

const option = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

const tls: fc.Arbitrary<TlsDraft> = fc.record(
  { certificateFile: relativePath, keyFile: relativePath, clientCaFile: relativePath },
  { requiredKeys: ['certificateFile', 'keyFile'], noNullPrototype: true },
)

const listen: fc.Arbitrary<ListenDraft> = fc
  .record({
    tls: option(tls),
    signPort: fc.integer({ min: 0, max: 65_535 }),
    host: fc.constantFrom('127.0.0.1', '127.9.8.7', 'localhost', '::1', '0.0.0.0', 'vault.example'),
    opsPort: fc.integer({ min: 0, max: 65_535 }),
    drainDelay: duration,
    behindProxy: fc.boolean(),
  })
  .map(({ host, behindProxy, ...others }) => ({
    ...others,
    signHost: host,
    behindProxy: !others.tls && (behindProxy || host === '0.0.0.0' || host === 'vault.example'),
  }))

const registryProfile = fc.constantFrom('github-app', 'icr-app')
const publicAlgorithm = fc.constantFrom(...algorithmNames.filter((alg) => !alg.startsWith('HS')))

const methods = fc.uniqueArray(fc.stringMatching(/^[\w.:-]{1,64}$/), { maxLength: 3 })

/** What fits together: registries take RS256, bytes keys take anything and have no profile. */
const kind = fc.oneof(
  fc.record({ alg: fc.constantFrom(...algorithmNames), profile: fc.constant(undefined) }),
  fc.record({
    alg: fc.constant('RS256' as const),
    profile: fc.record({ name: registryProfile, issuer: text }),
  }),
  fc.record({
    alg: fc.constant('HS256' as const),
    profile: fc.constant({ name: 'api-key-token' as const }),
    methods: option(methods),
  }),
  fc.record({
    alg: publicAlgorithm,
    profile: fc.oneof(
      fc.record({ name: fc.constant('generic-jwt' as const), issuer: text }),
      fc.record({ name: fc.constant('client-assertion' as const), clientId: text, audience: text }),
    ),
  }),
)

const rotation: fc.Arbitrary<RotationDraft> = fc.record({
  every: option(duration),
  standby: option(fc.constantFrom(0, 1)),
  propagation: option(duration),
})

const bits = fc.option(fc.constantFrom(2048, 3072, 4096), { nil: undefined })

function keyDrafts(vaults: readonly string[]): fc.Arbitrary<readonly KeyDraft[]> {
  const key = fc
    .record({ name, vault: fc.constantFrom(...vaults), kind, bits, rotation: option(rotation) })
    .map(({ kind: made, bits: asked, ...others }) => {
      const isRsa = /^[RP]S/.test(made.alg)
      return { methods: undefined, ...others, ...made, modulusBits: isRsa ? asked : undefined }
    })
  return fc.uniqueArray(key, { selector: (draft) => draft.name, minLength: 1, maxLength: 5 })
}

const scalar = fc.oneof(text, fc.maxSafeInteger(), fc.boolean())

const check: fc.Arbitrary<ClaimCheck> = fc.oneof(
  fc.record({ kind: fc.constant('const' as const), value: scalar }),
  fc.record({
    kind: fc.constant('oneOf' as const),
    values: fc.array(scalar, { minLength: 1, maxLength: 4 }),
  }),
  fc
    .tuple(text, fc.constantFrom(':', '/', '.', '#'))
    .map(([head, end]) => ({ kind: 'prefix' as const, prefix: head + end })),
  fc.record({
    kind: fc.constant('text' as const),
    charactersMax: fc.integer({ min: 1, max: 2_048 }),
  }),
  fc.record({ kind: fc.constant('fromCaller' as const), attribute: fc.constant('name') }),
)

/** JavaScript lists whole numbers first, whatever the file says: no claim is named by one. */
const claimName = text.filter(
  (claim) => !/^\d+$/.test(claim) && !['__proto__', 'iss', 'jti', 'iat', 'exp'].includes(claim),
)

const claims: fc.Arbitrary<readonly ClaimRule[]> = fc.uniqueArray(
  fc.record({ claim: claimName, optional: fc.boolean(), check }),
  { selector: (rule) => rule.claim, maxLength: 5 },
)

/** For each caller and key at most one grant, so that none overlap. */
function grantDrafts(
  keys: readonly KeyDraft[],
  named: readonly CallerDraft[],
): fc.Arbitrary<readonly GrantDraft[]> {
  const pairs = named.flatMap((caller) => keys.map((key) => ({ caller: caller.name, key })))
  return fc.subarray(pairs).chain((chosen) =>
    fc.tuple(
      ...chosen.map(({ caller, key }) => {
        const ofPurpose: readonly Operation[] = operationsOf[key.profile ? 'jwt' : 'bytes']
        const signsDigests = key.alg.startsWith('RS') // in the local vault, which they all are
        const possible = ofPurpose.filter((one) => signsDigests || one !== 'sign-digest')
        const isGeneric = key.profile?.name === 'generic-jwt'
        const isApiKey = key.profile?.name === 'api-key-token'
        return fc.record({
          caller: fc.constant(caller),
          key: fc.constant(key.name),
          operations: fc.shuffledSubarray([...possible], { minLength: 1 }),
          maxLifetime: isGeneric
            ? duration
            : key.profile && !isApiKey
              ? option(duration)
              : fc.constant(undefined),
          noExpiry: isApiKey ? option(fc.constant(true as const)) : fc.constant(undefined),
          limit: option(rate),
          claims: isGeneric ? option(claims) : fc.constant(undefined),
        })
      }),
    ),
  )
}

export const anyDraft: fc.Arbitrary<Draft> = fc
  .record({
    environment: fc.stringMatching(/^[a-z][a-z0-9-]{0,30}$/),
    sqlite: relativePath,
    digestKeyFile: relativePath,
    listen: fc.option(listen, { nil: undefined }),
    vaults: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
    callers: anyCallers(name, duration),
  })
  .map((head) => (head.listen?.tls?.clientCaFile === undefined ? withoutCertificates(head) : head))
  .chain((head) =>
    keyDrafts(head.vaults).chain((keys) =>
      grantDrafts(keys, head.callers).map((grants) => ({ ...head, keys, grants })),
    ),
  )

/** Where nobody can show one. */
function withoutCertificates<T extends { readonly callers: readonly CallerDraft[] }>(head: T): T {
  return { ...head, callers: head.callers.map((caller) => ({ ...caller, uri: undefined })) }
}

/** As it would stand in the file. */
export function written({
  environment,
  sqlite,
  digestKeyFile,
  listen: at,
  ...named
}: Draft): object {
  return {
    environment,
    allowSoftwareKeys: true,
    store: { sqlite },
    audit: { digestKeyFile },
    ...(at && { listen: writtenListen(at) }),
    vaults: Object.fromEntries(named.vaults.map((vault) => [vault, writtenVault(vault)])),
    keys: Object.fromEntries(named.keys.map(({ name: key, ...draft }) => [key, writtenKey(draft)])),
    callers: Object.fromEntries(
      named.callers.map((caller) => [caller.name, writtenCaller(caller)]),
    ),
    grants: named.grants.map(writtenGrant),
  }
}

export function writtenVault(vault: string) {
  const files = { directory: `./vaults/${vault}`, masterKeyFile: `/etc/chancery/${vault}.key` }
  return { provider: 'local', ...files } as const
}

function writtenListen({ signHost, signPort, opsPort, drainDelay, ...draft }: ListenDraft) {
  const host = signHost.includes(':') ? `[${signHost}]` : signHost
  const { behindProxy } = draft
  return {
    sign: { address: `${host}:${signPort}`, behindProxy, ...(draft.tls && { tls: draft.tls }) },
    ops: { address: `127.0.0.1:${opsPort}` },
    drainDelay: drainDelay.text,
  }
}

function writtenKey({
  profile,
  modulusBits,
  methods: named,
  rotation: asked,
  ...draft
}: Omit<KeyDraft, 'name'>) {
  return {
    ...draft,
    ...(modulusBits && { modulusBits }),
    ...(named && { methods: named }),
    ...(asked && { rotation: writtenRotation(asked) }),
    ...(profile?.name === 'api-key-token' && { source: 'imported' }),
    ...(profile ? { profile } : { purpose: 'bytes' }),
  }
}

function writtenRotation({ every, standby, propagation }: RotationDraft) {
  return {
    ...(every && { every: every.text }),
    ...(standby !== undefined && { standby }),
    ...(propagation && { propagation: propagation.text }),
  }
}

function writtenGrant({ maxLifetime, noExpiry, limit, claims: rules, ...draft }: GrantDraft) {
  return {
    ...draft,
    ...(noExpiry && { noExpiry }),
    ...(maxLifetime && { maxLifetime: maxLifetime.text }),
    ...(limit && { limit: limit.text }),
    ...(rules && {
      claims: Object.fromEntries(rules.map((rule) => [rule.claim, writtenRule(rule)])),
    }),
  }
}

function writtenRule({ optional, check: wanted }: ClaimRule) {
  return { ...writtenCheck(wanted), ...(optional && { optional }) }
}

function writtenCheck(wanted: ClaimCheck) {
  switch (wanted.kind) {
    case 'const':
      return { const: wanted.value }
    case 'oneOf':
      return { oneOf: wanted.values }
    case 'prefix':
      return { prefix: wanted.prefix }
    case 'text':
      return { text: wanted.charactersMax }
    case 'fromCaller':
      return { fromCaller: wanted.attribute }
  }
}
