import type { Proof } from '../keys/proof.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import type { FoundProofs } from './proofs.ts'

/** Six of these fit into the time for which a heartbeat is believed. */
const beatEveryMs = 5_000

export type HeartbeatDeps = {
  readonly found: () => FoundProofs
  readonly beat: (proofs: readonly Proof[]) => Promise<void>
  readonly clock: Clock
  readonly log: Logger
}

/**
 * To be called often: says that this process serves when 5 s have passed, and at once when it has
 * proved something, since a switch may wait for that. Never rejects.
 */
export function heartbeat({ found, beat, clock, log }: HeartbeatDeps): () => Promise<void> {
  let said: { revision: number; atMs: number } | undefined
  let isFailing = false
  return async () => {
    const { revision, proofs } = found()
    const atMs = clock.monotonicMs()
    if (said?.revision === revision && atMs - said.atMs < beatEveryMs) return
    try {
      await beat(proofs)
      said = { revision, atMs }
      isFailing = false
    } catch (error) {
      // Said once: what cannot be written now can hold back no switch that this process needs.
      if (!isFailing) log.error('heartbeat could not be stored', error)
      isFailing = true
    }
  }
}
