import type { Key } from '../keys/key.ts'
import type { ClaimRule } from './claim-rules.ts'
import type { Profile } from './profiles.ts'

export const operations = [
  'sign-claims',
  'sign-input',
  'sign-message',
  'sign-digest',
  'read-fingerprint',
] as const
export type Operation = (typeof operations)[number]

/** The operations that a key of each purpose has; config that grants another is refused. */
export const operationsOf = {
  jwt: ['sign-claims', 'sign-input', 'read-fingerprint'],
  bytes: ['sign-message', 'sign-digest', 'read-fingerprint'],
} as const satisfies Record<Key['purpose'], readonly Operation[]>

/** One row of permission. What is not said here is not allowed. */
export type Grant = {
  /** Its place in the configuration, `grants[2]`: what the audit and a refusal's log name. */
  readonly name: string
  readonly caller: string
  readonly key: Key
  /** The key's own, resolved; of purpose `jwt`, and only then. */
  readonly profile: Profile | undefined
  readonly operations: readonly Operation[]
  /** Longest life of a JWT, beside the profile's own; the smaller one counts. */
  readonly lifetimeSecondsMax: number | undefined
  /** Accepts tokens that never expire; nothing is signed by such a profile without it. */
  readonly noExpiry: boolean
  /** Signatures per second; refused requests count. */
  readonly limitPerSecond: number | undefined
  /** In the order they were declared, which is the order they run in. */
  readonly claims: readonly ClaimRule[]
}
