import type { Catalogues } from '../keys/catalogue.ts'
import type { Key } from '../keys/key.ts'
import { deadline } from '../lib/deadline.ts'
import { type Lease, type LeaseHolder, releaseLease, takeLease } from '../store/lease.ts'
import { adoptGeneration, type NewGeneration, newGenerations } from './adopt-generations.ts'
import type { Done, RotationDeps } from './job.ts'

/** For the generations of one key, each of which is opened and proved. */
const keyTimeoutMs = 20_000

export type SyncResult =
  | { readonly verdict: 'busy' }
  | {
      readonly verdict: 'done'
      readonly steps: readonly Done[]
      readonly failures: readonly SyncFailure[]
    }

export type SyncFailure = {
  readonly key: string
  readonly error: unknown
  /** Its catalogue does not fit what its versions are: none of its generations can be gone by. */
  readonly isRefused?: true
}

/** The versions that Terraform provides, of some keys, under the job's lease. */
export async function syncGenerations(
  deps: RotationDeps,
  keys: readonly Key[],
  catalogues: Catalogues,
  holder: LeaseHolder,
): Promise<SyncResult> {
  const provisioned = keys.filter(({ source }) => source === 'provisioned')
  if (provisioned.length === 0) return { verdict: 'done', steps: [], failures: [] }
  const lease = await takeLease(deps.store, holder, deps.clock.now())
  if (!lease) return { verdict: 'busy' }
  try {
    return { verdict: 'done', ...(await syncAll(deps, lease, provisioned, catalogues)) }
  } finally {
    await releaseLease(deps.store, lease)
  }
}

async function syncAll(
  deps: RotationDeps,
  lease: Lease,
  keys: readonly Key[],
  catalogues: Catalogues,
) {
  const steps: Done[] = []
  const failures: SyncFailure[] = []
  for (const key of keys) {
    try {
      const found = await newGenerations(deps.store, key, catalogues.keys.get(key.name))
      const failure = await adoptAll(deps, lease, key, found, (done) => void steps.push(done))
      if (failure) failures.push(failure)
    } catch (error) {
      failures.push({ key: key.name, error, isRefused: true })
    }
  }
  return { steps, failures }
}

/** The order of their names is that of their numbers: the first that cannot be taken keeps the later ones waiting. */
async function adoptAll(
  deps: RotationDeps,
  lease: Lease,
  key: Key,
  found: readonly NewGeneration[],
  tell: (done: Done) => void,
): Promise<SyncFailure | undefined> {
  using limit = deadline(keyTimeoutMs)
  try {
    for (const one of found) tell(await adoptGeneration(deps, lease, key, one, limit.signal))
    return undefined
  } catch (error) {
    return { key: key.name, error }
  }
}
