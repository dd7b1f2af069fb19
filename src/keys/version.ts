import { z } from 'zod'
import type { Bytes } from '../lib/bytes.ts'
import { type AlgorithmName, isAlgorithmName } from '../signing/algorithms.ts'
import { custodies, type Custody } from '../signing/signer.ts'
import type { Source } from './key.ts'
import type { VersionState } from './lifecycle.ts'

export const algorithmName = z.custom<AlgorithmName>(
  (name) => typeof name === 'string' && isAlgorithmName(name),
)

export const custody = z.enum(custodies)

/** One key pair (or secret) of a key. `n` counts from 1 and is never used again. */
export type KeyVersion = {
  readonly key: string
  readonly n: number
  readonly state: VersionState
  readonly source: Source
  readonly custody: Custody
  readonly vault: string
  /** Where it lives in its vault; internal, never sent to a caller. */
  readonly resource: string
  readonly algorithm: AlgorithmName
  /** Pinned: DER SubjectPublicKeyInfo. None for HMAC. */
  readonly spki: Bytes | undefined
  /** HMAC only: SHA-256 of its MAC over `knownAnswerText`; there is no public key to verify with. */
  readonly knownAnswer: Bytes | undefined
  /** What verifiers see. An attribute, never an identity. */
  readonly kid: string
  /** Terraform's name of a provisioned one, like `2026-09`. */
  readonly generation: string | undefined
  readonly createdAt: number
  /** Whose run made it, took it up or imported it: the operating system's user and host. */
  readonly madeBy: string
  /** Read back from its registry: verifiers can see it. */
  readonly publishedAt: number | undefined
  readonly activatedAt: number | undefined
  readonly retiringAt: number | undefined
  /** Retired, destroyed or revoked. */
  readonly endedAt: number | undefined
  /** Gone from its registry. */
  readonly withdrawnAt: number | undefined
  /** Disabled in its vault. */
  readonly disabledAt: number | undefined
}

/** `key@n`: the identity that commands, journal and audit use. */
export function versionName(key: string, n: number): string {
  return `${key}@${n}`
}

export type VersionName = { readonly key: string; readonly n: number }

/** Reads `key@n`; undefined for anything else, leading zeros included. */
export function parseVersionName(text: string): VersionName | undefined {
  const match = /^([a-z][a-z0-9-]{0,62})@([1-9]\d{0,8})$/.exec(text)
  const [, key, n] = match ?? []
  return key !== undefined && n !== undefined ? { key, n: Number(n) } : undefined
}
