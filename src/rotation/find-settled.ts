import { pause } from '../lib/deadline.ts'
import type { GoOn, Sought } from '../signing/signer.ts'

/** What was made for an intent can be found in it: where keys are generated, or imported. */
export type Searched<T> = {
  readonly settleMs: number
  find(sought: Sought, signal: AbortSignal, goOn: GoOn): Promise<readonly T[]>
}

/**
 * What an earlier call with this intent has left in a vault; looked for once, when whatever it has made is
 * listed: that call may have ended a moment ago, and to look through a vault twice takes twice as long. Only
 * then may the call be made again, and at most once (DESIGN §7).
 */
export async function findSettled<T>(
  vault: Searched<T>,
  sought: Sought,
  signal: AbortSignal,
  goOn: GoOn,
): Promise<readonly T[]> {
  if (vault.settleMs > 0) await pause(vault.settleMs, signal)
  return vault.find(sought, signal, goOn)
}
