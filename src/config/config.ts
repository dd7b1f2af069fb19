import type { z } from 'zod'
import type { Bytes } from '../lib/bytes.ts'
import type { Key } from '../keys/key.ts'
import type { RotationPolicy } from '../keys/rotation-policy.ts'
import type { Grant } from '../policy/grant.ts'
import type { Algorithm, AlgorithmName } from '../signing/algorithms.ts'
import type { Scalar } from '../policy/claim-rules.ts'
import type { Remark } from './complaints.ts'
import type { ListenAddress, RegistryEntry } from './schema.ts'

/** A configuration that was found to be whole: paths absolute, times in milliseconds. */
export type Config<V> = {
  /** The file it came from. */
  readonly file: string
  readonly environment: string
  readonly store: { readonly sqlite: string }
  readonly listen: {
    readonly sign: {
      readonly address: ListenAddress
      readonly behindProxy: boolean
      readonly tls: TlsFiles | undefined
    }
    readonly ops: { readonly address: ListenAddress }
    readonly drainDelayMs: number
  }
  readonly audit: { readonly digestKeyFile: string }
  /** Files of Terraform: commands go by them, and `serve` tells in its metrics what they say. */
  readonly catalogues: readonly string[]
  readonly vaults: ReadonlyMap<string, V>
  readonly registries: ReadonlyMap<string, RegistryEntry>
  readonly keys: ReadonlyMap<string, Key>
  /** By key: all of them. */
  readonly rotations: ReadonlyMap<string, RotationPolicy>
  readonly callers: readonly ConfiguredCaller[]
  readonly grants: readonly Grant[]
  /** What can be meant, but hardly is. */
  readonly warnings: readonly Remark[]
}

export type TlsFiles = {
  readonly certificateFile: string
  readonly keyFile: string
  /** Who signs the certificates of callers; without it none is asked for. */
  readonly clientCaFile?: string | undefined
}

export type ConfiguredCaller = {
  readonly name: string
  /** The public id, and the SHA-256 of the whole string. */
  readonly apiKeys: readonly { readonly id: string; readonly sha256: Bytes }[]
  readonly oidc: OidcSettings | undefined
  /** The one URI of its client certificate. */
  readonly certificateUri: string | undefined
}

/** Which tokens of which issuer are the caller's. */
export type OidcSettings = {
  readonly issuer: string
  readonly audience: string
  readonly match: Readonly<Record<string, Scalar>>
  readonly algorithms: readonly string[]
  readonly lifetimeSecondsMax: number
  readonly keys:
    | { readonly kind: 'discovery' }
    | { readonly kind: 'uri'; readonly uri: string }
    | { readonly kind: 'file'; readonly file: string }
}

/** What the configuration has to know of the providers, which only the composition may name. */
export type VaultRules<V> = {
  readonly schema: z.ZodType<V>
  /** Whoever has the files has the keys: it must be allowed by `allowSoftwareKeys`. */
  isSoftware(vault: V): boolean
  /** What it cannot sign, whoever asks. */
  signsNot(vault: V): readonly AlgorithmName[]
  /** Whether keys of this algorithm sign a digest there, of which the vault never sees the message. */
  signsDigests(vault: V, algorithm: Algorithm): boolean
  /** What can be meant, but hardly is where keys are real. */
  remarkOn(vault: V): { readonly member: string; readonly message: string } | undefined
}
