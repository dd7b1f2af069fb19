import { createHmac, hash } from 'node:crypto'
import { inputDigest } from '../../src/audit/input-digest.ts'
import type { Key } from '../../src/keys/key.ts'
import { kidOf } from '../../src/keys/kid.ts'
import type { KeyVersion } from '../../src/keys/version.ts'
import { Secret } from '../../src/lib/secret.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { type Logger, silentLogger } from '../../src/lib/log.ts'
import { ulidSource } from '../../src/lib/ulid.ts'
import { indexGrants } from '../../src/policy/decide.ts'
import type { Grant } from '../../src/policy/grant.ts'
import type { FingerprintDeps } from '../../src/service/fingerprint.ts'
import { Limits } from '../../src/service/limits.ts'
import type { SignForm } from '../../src/service/sign-form.ts'
import type { SignCommand, SignDeps } from '../../src/service/sign.ts'
import { SigningKeys } from '../../src/service/signing-keys.ts'
import type { Signer, Vault } from '../../src/signing/signer.ts'
import { rememberingAudit } from './audit-log.ts'
import { manualClock } from './manual-clock.ts'
import { memoryKey, type MemoryKey } from './memory-key.ts'

/** One version, and what its vault holds. */
export type Held = { readonly version: KeyVersion; readonly signer: Signer }

export type HeldPart = Partial<KeyVersion> & {
  readonly memory?: MemoryKey
  readonly signer?: Signer
}

/** A version as an earlier rotation left it: active unless told, pinned to the key in the vault. */
export function heldVersion(key: Key, part: HeldPart = {}): Held {
  const { memory = memoryKey(key.algorithm.name), signer = memory.signer, ...own } = part
  const n = own.n ?? 1
  const version: KeyVersion = {
    key: key.name,
    n,
    state: 'active',
    source: 'generated',
    custody: 'software',
    vault: key.vault,
    resource: `canary-resource-${key.name}-${n}`,
    algorithm: key.algorithm.name,
    spki: memory.publicKey?.spki,
    knownAnswer: knownAnswerOf(memory),
    kid: kidOf(key, n, memory.publicKey),
    createdAt: 0,
    madeBy: 'ada@host',
    generation: undefined,
    publishedAt: undefined,
    activatedAt: 0,
    retiringAt: undefined,
    endedAt: undefined,
    withdrawnAt: undefined,
    disabledAt: undefined,
    ...own,
  }
  return { version, signer }
}

/** Pinned here, since a store outlives the program: another text would make every HMAC key unusable. */
function knownAnswerOf({ algorithm: row, secret }: MemoryKey): KeyVersion['knownAnswer'] {
  if (row.kty !== 'oct') return undefined
  const text = 'chancery known answer test, not a JWS'
  const mac = createHmac(row.hash, secret).update(text).digest()
  return new Uint8Array(hash('sha256', mac, 'buffer'))
}

/** The store's versions and the vaults' contents, as a test changes them. */
export type StoreAndVaults = {
  now: readonly Held[]
  revision: number
  /** Thrown by the next readings of the store. */
  failure: unknown
  /** Asked before a version is opened. */
  beforeOpen: (signal: AbortSignal, resource: string) => Promise<void> | void
  readonly opened: string[]
}

export type ServiceSetting = { readonly held: readonly Held[]; readonly grants: readonly Grant[] }

/** The real use cases over real keys in memory, with time and audit in the test's hands. */
export async function signingService({ held, grants }: ServiceSetting) {
  const clock = manualClock()
  const audit = rememberingAudit(clock)
  const { keys, state } = signingKeysOver(held, { clock })
  await keys.reload(patience)
  const deps: SignDeps & FingerprintDeps = {
    grants: indexGrants(grants),
    keys,
    audit,
    limits: new Limits(clock),
    clock,
    newId: ulidSource(),
    inputDigest: inputDigest(new Secret(new Uint8Array(32))),
  }
  return { deps, clock, audit, keys, state }
}

/** Never fires. */
export const patience = new AbortController().signal

export function signingKeysOver(
  held: readonly Held[],
  { log = silentLogger, clock = manualClock() }: { log?: Logger; clock?: Clock } = {},
) {
  const opened: string[] = []
  const beforeOpen = () => {}
  const state: StoreAndVaults = { now: held, revision: 1, failure: undefined, beforeOpen, opened }
  const vaults = new Map([['local', vaultOver(state)]])
  const snapshot = async (revision: number | undefined) => {
    if (state.failure !== undefined) throw state.failure
    if (revision === state.revision) return undefined
    return { revision: state.revision, versions: state.now.map(({ version }) => version) }
  }
  return { keys: new SigningKeys({ snapshot, vaults, clock, log }), state }
}

/** What another process changes in the store; this one does not know yet. */
export function changeStore(state: StoreAndVaults, now: readonly Held[]): void {
  state.now = now
  state.revision += 1
}

function vaultOver(state: StoreAndVaults): Vault {
  return {
    async open({ resource }, signal) {
      await state.beforeOpen(signal, resource)
      state.opened.push(resource)
      const found = state.now.find(({ version }) => version.resource === resource)
      if (found) return { ...found.signer, custody: 'software' }
      throw new TypeError(`a test opens ${resource}, which no vault holds`)
    },
  }
}

/** A request of the caller that the grants of `grantOn` are for. */
export function commandFor(
  key: string,
  form: SignForm,
  part: Partial<SignCommand> = {},
): SignCommand {
  const caller = { name: 'blog-backend', attributes: { name: 'blog-backend' } }
  return { request: 'a-request', callerRequest: undefined, caller, key, form, ...part }
}
