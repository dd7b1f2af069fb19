import { ServiceError } from '../../src/errors.ts'
import type { Key } from '../../src/keys/key.ts'
import { standbyOf } from '../../src/keys/standby.ts'
import type { KeyVersion } from '../../src/keys/version.ts'
import { ClockWatch } from '../../src/lib/clock-watch.ts'
import { ulidSource } from '../../src/lib/ulid.ts'
import type { Asked, RotationDeps } from '../../src/rotation/job.ts'
import { rotate, type RotationResult } from '../../src/rotation/rotate.ts'
import type { Store } from '../../src/store/store.ts'
import { insertSuspension, listSuspensions } from '../../src/store/suspensions.ts'
import { changeState, listVersionsOf } from '../../src/store/versions.ts'
import { keyOf, profileSettings } from './grant.ts'
import { keyMaker, type KeyMaker } from './key-maker.ts'
import { type ManualClock, manualClock } from './manual-clock.ts'
import { MemoryRegistry } from './memory-registry.ts'
import { dayMs, policyOf } from './rotation-facts.ts'
import { askedFor } from './rotation-job.ts'

export const worldPolicy = policyOf({
  everyMs: 30 * dayMs,
  overlapMs: 7 * dayMs,
  standby: 1,
  propagationMs: 300_000,
})

export type VaultFault = 'none' | 'down' | 'reply lost' | 'forgetful'

/** What somebody else does while a run is at work: before its transaction with this number. */
export type Meanwhile = {
  readonly at: number
  readonly happens: (world: RotationWorld) => Promise<void>
}

const newId = ulidSource()

/** A key, everything around it that may fail, and the rules that no run of the job may break. */
export class RotationWorld {
  readonly clock: ManualClock = manualClock()
  readonly registry: MemoryRegistry
  readonly key: Key
  readonly problems: string[] = []
  readonly disabled = new Set<string>()
  /** Kids that somebody took from the registry. */
  readonly deleted = new Set<string>()
  vaultFault: VaultFault = 'none'
  /** How many keys may have been made that nobody knows of. */
  lost = 0
  hasStepped = false
  /** Processes that serve, and whether each can use what it is given. */
  readonly serving = new Map<string, boolean>()
  readonly #store: Store
  readonly #maker: KeyMaker
  #points = 0
  #diesAt = Infinity
  #isDead = false
  #before: readonly KeyVersion[] = []
  #asked: Asked = askedFor()
  #transactions = 0
  #meanwhile: Meanwhile | undefined

  constructor(store: Store, name: string) {
    this.#store = store
    const registry = { kind: 'app', registry: 'apps', app: name } as const
    this.key = keyOf(name, { profile: profileSettings['generic-jwt'], registry })
    this.#maker = keyMaker(
      (point) => this.#vaultPoint(point),
      () => this.vaultFault !== 'forgetful',
    )
    this.registry = new MemoryRegistry({
      now: () => this.clock.now(),
      point: () => this.#point(),
      forbids: (kid) => this.#forbidsWithdrawal(kid),
      problem: (problem) => this.problems.push(problem),
    })
  }

  /** One run of the job; it dies at the point with this number. */
  async run(
    asked: Partial<Asked>,
    diesAt = Infinity,
    meanwhile?: Meanwhile,
  ): Promise<RotationResult> {
    await this.beat()
    this.#asked = askedFor(asked)
    this.#points = 0
    this.#transactions = 0
    this.#meanwhile = meanwhile
    this.#diesAt = diesAt
    this.#isDead = false
    const holder = { id: newId(this.clock.now()), pid: 1, isAlive: () => false }
    try {
      const result = await rotate(this.#deps(), [this.key], holder)
      if (!this.#isDead) return result
    } catch (error) {
      if (!this.#isDead) throw error
    }
    this.lost += 1
    return { verdict: 'busy' } // whoever is dead says nothing
  }

  async versions(): Promise<readonly KeyVersion[]> {
    return listVersionsOf(this.#store.connection, this.key.name)
  }

  /** As `revoke` does it, with or without letting the standby sign. */
  async revokeActive(promotes: boolean): Promise<void> {
    const versions = await this.versions()
    const active = versions.find(({ state }) => state === 'active')
    if (!active) return
    const suspended = await this.#suspended()
    const standby = standbyOf(versions, {
      isPublishedFirst: true,
      isSuspended: ({ key, n }) => suspended.has(`${key}@${n}`),
    })
    const now = this.clock.now()
    await this.#store.writeTransaction(async ({ connection }) => {
      await changeState(connection, active, 'revoked', now)
      if (standby && promotes) await changeState(connection, standby, 'active', now)
    })
    this.#before = await this.versions()
  }

  /** A catalogue takes from the version that signs what it needs for that: its generation alone has a name. */
  async cutOffActive(): Promise<void> {
    const active = (await this.versions()).find(({ state }) => state === 'active')
    if (!active) return
    await this.#store.writeTransaction(async ({ connection }) => {
      await connection
        .updateTable('versions')
        .set({ generation: `g${active.n}` })
        .where('key', '=', active.key)
        .where('n', '=', active.n)
        .execute()
    })
  }

  async suspendNext(): Promise<void> {
    const next = (await this.versions()).find(({ state }) => state === 'published')
    if (!next) return
    const name = `${next.key}@${next.n}`
    await this.#store.writeTransaction(async ({ connection }) => {
      await insertSuspension(connection, { kind: 'version', name, reason: 'a test', at: 1 })
    })
  }

  async resumeAll(): Promise<void> {
    await this.#store.writeTransaction(async ({ connection }) => {
      await connection.deleteFrom('suspensions').execute()
    })
  }

  /** Keys in the vault that are no version: what a crash may leave behind. */
  async orphans(): Promise<number> {
    return this.#maker.made.length - (await this.versions()).length
  }

  async openIntents(): Promise<number> {
    const rows = await this.#store.connection
      .selectFrom('journal')
      .select('id')
      .where('key', '=', this.key.name)
      .where('state', '=', 'open')
      .execute()
    return rows.length
  }

  /** Every process that serves says so, and what it can use. */
  async beat(): Promise<void> {
    const at = this.clock.now()
    const versions = await this.versions()
    await this.#store.writeTransaction(async ({ connection }) => {
      await connection.deleteFrom('processes').execute()
      for (const [id, proves] of this.serving) {
        const process = { id, host: 'host', pid: 1, beat_at: at }
        await connection.insertInto('processes').values(process).execute()
        const code = proves ? 'ok' : 'vault_unavailable'
        for (const { key, n } of versions) {
          await connection.insertInto('proofs').values({ process: id, key, n, code, at }).execute()
        }
      }
    })
  }

  #deps(): RotationDeps {
    const disable = async (resource: string) => {
      this.#point()
      if (this.vaultFault === 'down') throw new ServiceError('vault_unavailable', 'down')
      this.disabled.add(resource)
      this.#point()
    }
    return {
      store: this.#checked(),
      policyOf: () => worldPolicy,
      registryOf: () => this.registry,
      provisionedOf: () => ({ enabled: new Set(), initial: undefined }),
      vaultOf: () => this.#maker.vault,
      generatorOf: () => this.#maker.generator,
      disablerOf: async () => ({ disable }),
      hearVaultOf: async () => {},
      clock: this.clock,
      clocks: new ClockWatch(this.clock),
      newId,
      actor: 'cron@host',
      asked: this.#asked,
    }
  }

  /** The store as the job has it: every transaction is two points, and the rules are looked at after each. */
  #checked(): Store {
    const store = this.#store
    return {
      connection: store.connection,
      writeTransaction: async (work) => {
        this.#point()
        this.#transactions += 1
        if (this.#transactions === this.#meanwhile?.at) await this.#meanwhile.happens(this)
        const result = await store.writeTransaction(work)
        await this.#check()
        this.#point()
        return result
      },
      [Symbol.asyncDispose]: async () => {},
    }
  }

  #point(): void {
    this.#points += 1
    if (this.#points >= this.#diesAt) this.#isDead = true
    if (this.#isDead) throw new Error('killed')
  }

  #vaultPoint(name: string): void {
    this.#point()
    if (this.vaultFault === 'down' && name.startsWith('before')) {
      throw new ServiceError('vault_unavailable', 'down')
    }
    if (this.vaultFault === 'reply lost' && name === 'after generate') {
      this.lost += 1
      throw new ServiceError('vault_unavailable', 'the reply was lost')
    }
  }

  async #check(): Promise<void> {
    const after = await this.versions()
    const before = new Map(this.#before.map((version) => [version.n, version]))
    const wereActive = this.#before.filter(({ state }) => state === 'active').length
    const active = after.filter(({ state }) => state === 'active')
    if (active.length > 1) this.problems.push('two versions sign')
    if (wereActive > 0 && active.length === 0) this.problems.push('no version signs any more')
    for (const version of active) {
      const was = before.get(version.n)?.state
      if (was !== 'active') await this.#checkSwitch(version, was, wereActive > 0)
    }
    for (const { n, state } of this.#before) {
      const is = after.find((version) => version.n === n)?.state
      const hasEnded = ['retired', 'revoked', 'destroyed'].includes(state)
      if (hasEnded && is !== state) this.problems.push(`${state} ${n} is ${is}`)
    }
    this.#before = after
  }

  async #checkSwitch(version: KeyVersion, was: string | undefined, replaces: boolean) {
    const { n, kid } = version
    const problem = (words: string) => this.problems.push(`@${n} signs, ${words}`)
    if (was !== 'published') problem(`and was ${was}`)
    const hasSigned = this.#before.some(({ activatedAt }) => activatedAt !== undefined)
    const addedAt = this.registry.keys.get(kid)
    if (hasSigned && addedAt === undefined) problem('unlisted')
    const longestMs = Math.max(worldPolicy.propagationMs, this.registry.maxAgeMs)
    const seenMs = this.clock.now() - (addedAt ?? 0)
    if (hasSigned && !this.hasStepped && seenMs < longestMs) problem(`seen for ${seenMs} ms`)
    if ((await this.#suspended()).has(`${version.key}@${n}`)) problem('suspended')
    const unproved = [...this.serving.values()].includes(false)
    if (replaces && unproved && !this.#asked.isForced) problem('unproved')
  }

  async #suspended(): Promise<ReadonlySet<string>> {
    const suspensions = await listSuspensions(this.#store.connection)
    return new Set(suspensions.map(({ name }) => name))
  }

  /** Why a key may not be taken away now; undefined when it may. */
  async #forbidsWithdrawal(kid: string): Promise<string | undefined> {
    const version = (await this.versions()).find((one) => one.kid === kid)
    if (!version) return 'it is none of ours'
    if (version.state === 'revoked') return undefined
    if (version.state !== 'retiring') return `it is ${version.state}`
    const isEmergency = await this.#wasEmergency(version.n)
    if (isEmergency) return undefined
    const sinceMs = this.clock.now() - (version.retiringAt ?? Infinity)
    if (sinceMs < worldPolicy.overlapMs) return `its overlap has ${sinceMs} ms`
    const usedAt = this.registry.lastUsedAt.get(kid) ?? -Infinity
    return this.clock.now() - usedAt < worldPolicy.overlapMs ? 'it is in use' : undefined
  }

  async #wasEmergency(n: number): Promise<boolean> {
    const rows = await this.#store.connection
      .selectFrom('rotations')
      .selectAll()
      .where('key', '=', this.key.name)
      .execute()
    return rows.some((row) => row.replaces === n && row.is_emergency === 1)
  }
}
