import type { Purpose } from '../keys/key.ts'
import type { Grant, Operation } from './grant.ts'

export type AccessRequest = {
  readonly caller: string
  readonly key: string
  readonly operation: Operation
  /** What the form of the request needs of the key; reading fingerprints needs nothing. */
  readonly purpose: Purpose | undefined
}

export type Decision =
  | { readonly verdict: 'allow'; readonly grant: Grant }
  | { readonly verdict: 'refuse'; readonly code: 'wrong_purpose' | 'operation_not_granted' }
  /** No grant on this key: the answer is the one for a key that does not exist. */
  | { readonly verdict: 'hide' }

/** The grants by caller and key. Empty configuration grants nothing. */
export type Grants = { on(caller: string, key: string): readonly Grant[] }

export function indexGrants(grants: readonly Grant[]): Grants {
  // Names of callers and keys hold no space.
  const index = Map.groupBy(grants, ({ caller, key }) => `${caller} ${key.name}`)
  return { on: (caller, key) => index.get(`${caller} ${key}`) ?? [] }
}

/** Pure, and deny by default: nothing about the key is looked up for a caller without a grant. */
export function decide(grants: Grants, request: AccessRequest): Decision {
  const onKey = grants.on(request.caller, request.key)
  const [first] = onKey
  if (!first) return { verdict: 'hide' }

  if (request.purpose && first.key.purpose !== request.purpose) {
    return { verdict: 'refuse', code: 'wrong_purpose' }
  }
  const grant = onKey.find(({ operations }) => operations.includes(request.operation))
  if (!grant) return { verdict: 'refuse', code: 'operation_not_granted' }
  return { verdict: 'allow', grant }
}
