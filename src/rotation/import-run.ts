import type { KeyObject } from 'node:crypto'
import type { Key } from '../keys/key.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import type { Clock } from '../lib/clock.ts'
import type { ClockWatch } from '../lib/clock-watch.ts'
import type { UlidSource } from '../lib/ulid.ts'
import type { KeyImporter, Vault } from '../signing/signer.ts'
import type { Lease } from '../store/lease.ts'
import type { Store } from '../store/store.ts'
import type { WantedImport } from './import-plan.ts'

/** For one call; shorter than the lease, which is renewed before each. */
export const callTimeoutMs = 20_000

export type ImportDeps = {
  readonly store: Store
  readonly vaultOf: (key: Key) => Vault
  readonly importerOf: (key: Key) => KeyImporter
  readonly clock: Clock
  /** What others say of that clock. */
  readonly clocks: Pick<ClockWatch, 'assertRight'>
  readonly newId: UlidSource
  readonly actor: string
}

export type ImportWish = WantedImport & {
  /** Fit for the key and its vault. */
  readonly material: KeyObject
  /** What a human has compared at the key's registry, in words for the audit; undefined for nothing. */
  readonly compared: string | undefined
}

/** One import, which holds the lease. */
export type Run = {
  readonly deps: ImportDeps
  readonly lease: Lease
  readonly wish: ImportWish
}

export type Upload = Run & { readonly replaces: KeyVersion | undefined }

/** The registry had the public half before we have the private one: to compare it is to publish it. */
export function isPublication({ key: { registry }, compared: words }: ImportWish): boolean {
  return registry?.kind === 'manual' && words !== undefined
}

/** The audit's record of a change by this import. */
export function changed(
  { deps: { clock, actor }, wish }: Run,
  { key, n }: Pick<KeyVersion, 'key' | 'n'>,
  change: {
    readonly before: KeyVersion['state'] | 'none'
    readonly after: KeyVersion['state'] | undefined
  },
) {
  const command = { type: 'command', command: 'import', at: clock.now(), actor } as const
  return { ...command, subject: versionName(key, n), reason: wish.compared, ...change }
}
