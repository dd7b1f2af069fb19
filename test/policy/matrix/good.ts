import type { Ask, Members } from './case.ts'
import { goodClaims } from './variants.ts'
import { now, wordsOf } from './estate.ts'
import { sayingOf } from './sayings.ts'

export function input(header: Members, payload: Members): Ask {
  return { form: 'signingInput', header, payload }
}

/** What the service itself would say for a key. */
export function goodHeader(key: string): Members {
  return { alg: wordsOf(key)?.alg, typ: 'JWT' }
}

/** A payload that the key's profile allows, with the claims that most grants do. */
export function goodPayload(key: string): Members {
  const words = wordsOf(key)
  const saying = words && sayingOf(words)
  const own = saying?.expires ? { ...saying.says, iat: now, exp: now + 60 } : {}
  const jti = saying?.jti ? { jti: 'a-jti' } : {}
  const named = saying?.names ? { key_id: 'id-second' } : {}
  return { ...named, ...own, ...jti, ...goodClaims(key) }
}
