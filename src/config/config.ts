import type { z } from 'zod'
import type { Bytes } from '../lib/bytes.ts'
import type { Key } from '../keys/key.ts'
import type { Grant } from '../policy/grant.ts'
import type { ListenAddress } from './schema.ts'

/** A configuration that was found to be whole: paths absolute, times in milliseconds. */
export type Config<V> = {
  /** The file it came from. */
  readonly file: string
  readonly environment: string
  readonly store: { readonly sqlite: string }
  readonly listen: {
    readonly sign: { readonly address: ListenAddress; readonly behindProxy: boolean }
    readonly ops: { readonly address: ListenAddress }
    readonly drainDelayMs: number
  }
  readonly audit: { readonly digestKeyFile: string }
  readonly vaults: ReadonlyMap<string, V>
  readonly keys: ReadonlyMap<string, Key>
  readonly callers: readonly ConfiguredCaller[]
  readonly grants: readonly Grant[]
}

export type ConfiguredCaller = {
  readonly name: string
  /** The public id, and the SHA-256 of the whole string. */
  readonly apiKeys: readonly { readonly id: string; readonly sha256: Bytes }[]
}

/** What the configuration has to know of the providers, which only the composition may name. */
export type VaultRules<V> = {
  readonly schema: z.ZodType<V>
  /** Whoever has the files has the keys: it must be allowed by `allowSoftwareKeys`. */
  isSoftware(vault: V): boolean
}
