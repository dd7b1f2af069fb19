import type { CommandRecord } from '../../src/audit/records.ts'
import { ulidSource } from '../../src/lib/ulid.ts'
import type { CommandDeps, RevokeDeps } from '../../src/service/revoke.ts'
import type { SecondLineDeps } from '../../src/service/second-line.ts'
import { readAudit } from '../../src/store/audit-reader.ts'
import type { Store } from '../../src/store/store.ts'
import { manualClock } from './manual-clock.ts'

/** A command on a store, with time that passes only by waiting, and no longer than a moment. */
export function commandOn(store: Store) {
  const clock = manualClock()
  const waits: number[] = []
  const deps: CommandDeps = {
    store,
    clock,
    actor: 'anna@bastion',
    pause: async (ms) => {
      waits.push(ms)
      clock.advance(ms)
    },
  }
  return { deps, clock, waits }
}

/** A revocation on a store, with whatever registry and vault stand behind it. */
export function revocationOn(store: Store, behind: Partial<SecondLineDeps> = {}) {
  const { deps, clock, waits } = commandOn(store)
  const disabled: string[] = []
  const disabler = { disable: async (resource: string) => void disabled.push(resource) }
  const parts = { registryOf: async () => undefined, disablerOf: async () => disabler }
  const patient = { newId: ulidSource(), secondLineMs: 120_000 }
  const known = { isConfigured: async () => true, readEnabled: async () => () => true }
  const revokeDeps: RevokeDeps = { ...deps, ...patient, ...known, ...parts, ...behind }
  return { deps: revokeDeps, clock, waits, disabled }
}

/** Every command and rotation step in the audit, in order. */
export async function recordsOf({ connection }: Store): Promise<readonly CommandRecord[]> {
  const records: CommandRecord[] = []
  for await (const { body } of readAudit(connection)) {
    const record: CommandRecord | { readonly type: 'writer' } = JSON.parse(body)
    if (record.type === 'command') records.push(record)
  }
  return records
}
