import type { Catalogues } from '../keys/catalogue.ts'
import type { Key } from '../keys/key.ts'
import { deadline } from '../lib/deadline.ts'
import { type Lease, type LeaseHolder, releaseLease, takeLease } from '../store/lease.ts'
import { adoptGenerations } from './adopt-generations.ts'
import type { Done, RotationDeps } from './job.ts'

/** For the generations of one key, each of which is opened and proved. */
const keyTimeoutMs = 20_000

export type SyncResult =
  | { readonly verdict: 'busy' }
  | {
      readonly verdict: 'done'
      readonly steps: readonly Done[]
      readonly failures: readonly { readonly key: string; readonly error: unknown }[]
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
  const failures = []
  for (const key of keys) {
    using limit = deadline(keyTimeoutMs)
    try {
      const entry = catalogues.keys.get(key.name)
      steps.push(...(await adoptGenerations(deps, lease, key, entry, limit.signal)))
    } catch (error) {
      failures.push({ key: key.name, error })
    }
  }
  return { steps, failures }
}
