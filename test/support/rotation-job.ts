import type { Key } from '../../src/keys/key.ts'
import { ClockWatch } from '../../src/lib/clock-watch.ts'
import { ulidSource } from '../../src/lib/ulid.ts'
import type { Asked, Done, RotationDeps } from '../../src/rotation/job.ts'
import { ask } from '../../src/rotation/ask.ts'
import { lastSigning } from '../../src/rotation/next-step.ts'
import { listVersionsOf } from '../../src/store/versions.ts'
import { rotateKey } from '../../src/rotation/tick.ts'
import type { Registry } from '../../src/registry/registry.ts'
import { type Lease, takeLease } from '../../src/store/lease.ts'
import type { Store } from '../../src/store/store.ts'
import { type ManualClock, manualClock } from './manual-clock.ts'
import { policyOf } from './rotation-facts.ts'
import type { KeyMaker, Point } from './key-maker.ts'

const newId = ulidSource()

/** Of what stops nothing else nothing is expected; of steps nobody asks. */
export const quiet = {
  done: () => {},
  failed: (error: unknown) => {
    throw error
  },
}

/** A job's parts on a store, with a vault of this process. */
export function rotationDeps(
  store: Store,
  { vault, generator }: KeyMaker,
  registry?: Registry,
): RotationDeps & { readonly clock: ManualClock } {
  const parts = { vaultOf: () => vault, generatorOf: () => generator, registryOf: () => registry }
  const clock = manualClock()
  return {
    store,
    ...parts,
    policyOf: () => policyOf(),
    provisionedOf: () => undefined,
    disablerOf: async () => ({ disable: async () => {} }),
    hearVaultOf: async () => {},
    clock,
    clocks: new ClockWatch(clock),
    newId,
    actor: 'cron@host',
    asked: askedFor({ isNamed: true }),
  }
}

export function askedFor(part: Partial<Asked> = {}): Asked {
  return { isNamed: false, now: 'no', isForced: false, ...part }
}

/** Another process that holds the lease is taken for dead: its own writes will be refused. */
export async function leaseOn(store: Store, now = 1_800_000_000_000): Promise<Lease> {
  const lease = await takeLease(store, { id: newId(now), pid: 1, isAlive: () => false }, now)
  if (lease) return lease
  throw new TypeError('the lease of a dead process was not given')
}

/** One run of a job that has just taken the lease. */
export async function runJob(deps: RotationDeps, key: Key): Promise<readonly Done[]> {
  const done: Done[] = []
  const lease = await leaseOn(deps.store)
  const versions = await listVersionsOf(deps.store.connection, key.name)
  await ask(deps, lease, key, lastSigning(versions)?.n)
  await rotateKey(deps, lease, key, { ...quiet, done: (step) => done.push(step) })
  return done
}

/** A store that tells `point` before and after each of its transactions. */
export function watchedStore(store: Store, point: Point): Store {
  return {
    connection: store.connection,
    async writeTransaction(work) {
      point('before write')
      const result = await store.writeTransaction(work)
      point('after write')
      return result
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

/** Throws at the nth point that is reached, as a killed process ends there. */
export function diesAt(n: number): Point & { readonly reached: readonly string[] } {
  const reached: string[] = []
  const point = (name: string) => {
    reached.push(name)
    if (reached.length === n) throw new Error(`killed ${name}`)
  }
  return Object.assign(point, { reached })
}
