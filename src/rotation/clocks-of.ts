import type { Key } from '../keys/key.ts'
import type { ClockSource } from '../lib/clock-watch.ts'

/** Whose word on the time counts for a key: another key's vault has nothing to do with it. */
export function clocksOf({ vault, registry }: Key): readonly ClockSource[] {
  const asked = registry?.kind === 'app' ? ([`registry ${registry.registry}`] as const) : []
  return [`vault ${vault}`, ...asked]
}
