import { z } from 'zod'
import type { Algorithm } from '../signing/algorithms.ts'

/** Exact bytes; any other path is not found before routing (CONTRACT §1). */
export const keyName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'a key name is a-z, 0-9 and -, from a letter, at most 63 long')
  .brand<'KeyName'>()
export type KeyName = z.infer<typeof keyName>

/** Fixed for ever: to a verifier every signature by a key is equal, so bytes could mint any JWT. */
export type Purpose = 'jwt' | 'bytes'

/** A registry's own rules for the JWT, with what this key fills in (DESIGN §4). */
export type ProfileSettings =
  | {
      readonly name: 'generic-jwt' | 'github-app' | 'icr-app' | 'contentful-app'
      readonly issuer: string
    }
  | { readonly name: 'client-assertion'; readonly clientId: string; readonly audience: string }
  | { readonly name: 'api-key-token' }
export type ProfileName = ProfileSettings['name']

/** Where new versions come from. */
export const sources = ['generated', 'provisioned', 'imported'] as const
export type Source = (typeof sources)[number]

/** Where the public half has to be known; a manual one has no program to tell. */
export type KeyRegistry =
  | { readonly kind: 'app'; readonly registry: string; readonly app: string }
  | { readonly kind: 'manual'; readonly system: 'github' | 'icr'; readonly url: string }

/** What callers name. Stable for ever: one algorithm, one vault, one purpose, one profile. */
export type Key = {
  readonly name: KeyName
  readonly vault: string
  readonly algorithm: Algorithm
  /** RSA only. */
  readonly modulusBits: number | undefined
  readonly purpose: Purpose
  /** Of purpose `jwt`, and only then. */
  readonly profile: ProfileSettings | undefined
  /** None: nobody has to know the key before it signs. */
  readonly registry: KeyRegistry | undefined
  readonly source: Source
  /** What a portal lets a key be used for: for people, since no token says it. */
  readonly methods: readonly string[]
}
