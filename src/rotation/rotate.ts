import type { Key } from '../keys/key.ts'
import { deadline } from '../lib/deadline.ts'
import { type LeaseHolder, releaseLease, takeLease } from '../store/lease.ts'
import type { Wait } from './next-step.ts'
import type { Done, RotationDeps } from './perform.ts'
import { rotateKey } from './tick.ts'

/**
 * For the steps of one key: an RSA-4096 key pair takes seconds. Shorter than the lease, which is
 * renewed before each external call and has to outlast it.
 */
const keyTimeoutMs = 20_000

export type RotationResult =
  /** Another job holds the lease: nothing was done, and that is fine. */
  | { readonly verdict: 'busy' }
  | {
      readonly verdict: 'done'
      readonly steps: readonly Done[]
      /** What only a human can go on with. */
      readonly waits: readonly { readonly key: string; readonly wait: Wait }[]
      /** What did not work; the other keys went on. */
      readonly failures: readonly { readonly key: string; readonly error: unknown }[]
    }

/** Every step that is due for some keys, one key after the other, under the job's lease. */
export async function rotate(
  deps: RotationDeps,
  keys: readonly Key[],
  holder: LeaseHolder,
): Promise<RotationResult> {
  const lease = await takeLease(deps.store, holder, deps.clock.now())
  if (!lease) return { verdict: 'busy' }
  const steps: Done[] = []
  const waits = []
  const failures = []
  try {
    for (const key of keys) {
      using limit = deadline(keyTimeoutMs)
      try {
        const wait = await rotateKey(deps, lease, key, (done) => steps.push(done), limit.signal)
        if (wait) waits.push({ key: key.name, wait })
      } catch (error) {
        failures.push({ key: key.name, error })
      }
    }
  } finally {
    await releaseLease(deps.store, lease)
  }
  return { verdict: 'done', steps, waits, failures }
}
