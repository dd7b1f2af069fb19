import { ServiceError } from '../errors.ts'
import { deadline } from '../lib/deadline.ts'
import type { GoOn, Sought } from '../signing/signer.ts'
import type { Lease } from '../store/lease.ts'
import { findSettled, type Searched } from './find-settled.ts'
import type { RotationDeps } from './job.ts'
import { renew } from './record.ts'

/**
 * Longer than the lease, which is renewed between its parts: AWS can be asked for no tag, and the tags of the
 * 100,000 keys that an account may have in a region take minutes.
 * https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
 */
const searchTimeoutMs = 600_000

/**
 * A sixth of the lease. A part may take milliseconds, and there may be 10,000: a transaction for each would
 * take longer than they do.
 */
const renewEveryMs = 5_000

/**
 * What an earlier run has left in a vault, by its intent. A search that does not come to its end is no
 * answer: nothing may be made after it, and the next run begins it anew.
 *
 * @throws {ServiceError} `vault_*`, `deadline_exceeded`; `refused` when another job took the lease meanwhile.
 */
export async function search<T>(
  deps: Pick<RotationDeps, 'store' | 'clock'>,
  lease: Lease,
  vault: Searched<T>,
  sought: Sought,
): Promise<readonly T[]> {
  const goOn = renewing(deps, lease)
  await goOn()
  using limit = deadline(searchTimeoutMs)
  try {
    return await findSettled(vault, sought, limit.signal, goOn)
  } catch (error) {
    throw cutOff(error, sought)
  }
}

/** The wall clock may be set meanwhile, and is not asked how long ago it was. */
function renewing(deps: Pick<RotationDeps, 'store' | 'clock'>, lease: Lease): GoOn {
  let renewedMs: number | undefined
  return async () => {
    const nowMs = deps.clock.monotonicMs()
    if (renewedMs !== undefined && nowMs - renewedMs < renewEveryMs) return
    await renew(deps, lease)
    renewedMs = nowMs
  }
}

function cutOff(error: unknown, { name }: Sought): unknown {
  if (!(error instanceof ServiceError) || error.code === 'refused') return error
  const { code, message, details } = error
  const words = `${message}. The vault was being searched for what an earlier run has made as ${name}, and nothing is made anew before that is known: run it again`
  return new ServiceError(code, words, { cause: error, details })
}
