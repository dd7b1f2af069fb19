import type { Key } from '../keys/key.ts'
import { type Lease, type LeaseHolder, releaseLease, takeLease } from '../store/lease.ts'
import type { Store } from '../store/store.ts'
import { listVersions } from '../store/versions.ts'
import { ask } from './ask.ts'
import type { Deed, Done, RotationDeps } from './job.ts'
import { lastSigning } from './next-step.ts'
import { type Rest, rotateKey } from './tick.ts'

export type RotationResult =
  /** Another job holds the lease: nothing was done, and that is fine. */
  | { readonly verdict: 'busy' }
  | {
      readonly verdict: 'done'
      readonly steps: readonly Done[]
      /** Where each key that went well has come to. */
      readonly rests: readonly { readonly key: string; readonly rest: Rest }[]
      /** What did not work; the other keys went on. */
      readonly failures: readonly RotationFailure[]
    }

export type RotationFailure = {
  readonly key: string
  readonly error: unknown
  /** What it was about, where nothing else of the key was stopped by it. */
  readonly deed?: Deed | undefined
}

/** Every step that is due for some keys, one key after the other, under the job's lease. */
export async function rotate(
  deps: RotationDeps,
  keys: readonly Key[],
  holder: LeaseHolder,
): Promise<RotationResult> {
  const meant = await lastSigningOf(deps.store)
  const lease = await takeLease(deps.store, holder, deps.clock.now())
  if (!lease) return { verdict: 'busy' }
  try {
    return { verdict: 'done', ...(await rotateAll(deps, lease, keys, meant)) }
  } finally {
    await releaseLease(deps.store, lease)
  }
}

/** By key: what a command means that asks for another version. */
async function lastSigningOf({ connection }: Store): Promise<ReadonlyMap<string, number>> {
  const versions = Map.groupBy(await listVersions(connection), ({ key }) => key)
  return new Map(
    [...versions].flatMap(([key, of]) => {
      const last = lastSigning(of)
      return last ? [[key, last.n]] : []
    }),
  )
}

async function rotateAll(
  deps: RotationDeps,
  lease: Lease,
  keys: readonly Key[],
  meant: ReadonlyMap<string, number>,
) {
  const steps: Done[] = []
  const rests = []
  const failures: RotationFailure[] = []
  for (const key of keys) {
    const failed = (error: unknown, deed?: Deed) =>
      void failures.push({ key: key.name, error, deed })
    const tell = { done: (done: Done) => void steps.push(done), failed }
    try {
      await ask(deps, lease, key, meant.get(key.name))
      rests.push({ key: key.name, rest: await rotateKey(deps, lease, key, tell) })
    } catch (error) {
      failed(error)
    }
  }
  return { steps, rests, failures }
}
