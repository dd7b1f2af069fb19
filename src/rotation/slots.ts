import type { KeyVersion } from '../keys/version.ts'
import type { AppRegistryState, Step } from './facts.ts'

/** Before a key is made, not after: whether its registry has room, or has it already. */
export function needsSlot(
  version: KeyVersion | undefined,
  { slots, seen }: AppRegistryState,
): Step | undefined {
  if (!seen) return { kind: 'look' }
  const { keys } = seen
  const isThere = keys.some(({ kid }) => kid === version?.kid)
  if (isThere || slots === undefined || keys.length < slots) return undefined
  const unknownKids = keys.filter((key) => key.version === undefined).map(({ kid }) => kid)
  const versions = keys.flatMap((key) => key.version ?? [])
  return { kind: 'wait', wait: { kind: 'slots', slots, unknownKids, versions } }
}
