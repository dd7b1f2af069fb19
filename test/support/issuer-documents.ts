import { publicKeySet, type PublicKeySet } from '../../src/auth/jwks.ts'
import { IssuerKeys } from '../../src/auth/issuer-keys.ts'
import { manualClock } from './manual-clock.ts'
import type { MemoryKey } from './memory-key.ts'
import { publicJwk } from './token.ts'

/** An issuer whose documents are in the test's hands: it answers, fails, or keeps one waiting. */
export type HeldIssuer = {
  /** By kid. */
  keys: Readonly<Record<string, MemoryKey>>
  isAway: boolean
  /** Settles before an answer is given. */
  slowness: Promise<void>
  /** How often its keys were asked for. */
  readings: number
  /** How often a key was looked for, among those that are held. */
  looks: number
  readonly failures: unknown[]
}

export const gone = new Error('the issuer is away')

/** Its keys, as a service holds them. */
export function heldIssuer(keys: Readonly<Record<string, MemoryKey>>) {
  const clock = manualClock()
  const issuer: HeldIssuer = {
    keys,
    isAway: false,
    slowness: Promise.resolve(),
    readings: 0,
    looks: 0,
    failures: [],
  }
  const load = async (): Promise<PublicKeySet> => {
    issuer.readings += 1
    await issuer.slowness
    if (issuer.isAway) throw gone
    const all = Object.entries(issuer.keys)
    return publicKeySet({ keys: all.map(([kid, key]) => publicJwk(key, { kid })) })
  }
  const onFailure = (error: unknown) => void issuer.failures.push(error)
  class CountedKeys extends IssuerKeys {
    override find(...asked: Parameters<IssuerKeys['find']>): ReturnType<IssuerKeys['find']> {
      issuer.looks += 1
      return super.find(...asked)
    }
  }
  return { issuer, clock, keys: new CountedKeys({ load, clock, onFailure }) }
}
