import type { Key } from '../keys/key.ts'
import type { ClaimCheck } from '../policy/claim-rules.ts'
import { claimSetComplaint } from '../policy/claim-set.ts'
import type { Grant } from '../policy/grant.ts'
import { grantNeeds } from '../policy/profiles.ts'
import type { Complaints } from './complaints.ts'
import type { ConfiguredCaller } from './config.ts'

type Configured = {
  readonly keys: ReadonlyMap<string, Key>
  readonly callers: readonly ConfiguredCaller[]
  readonly grants: readonly Grant[]
}

/** Says what can do nothing as it stands: a key nobody may use, a grant that refuses everything. */
export function warnOfIdle({ keys, callers, grants }: Configured, complaints: Complaints): void {
  const signing = grants.filter(signs)
  for (const name of keys.keys()) {
    if (signing.some(({ key }) => key.name === name)) continue
    complaints.warn(['keys', name], 'nobody may sign with it: add a grant, or remove it')
  }
  for (const { name } of callers) {
    if (grants.some(({ caller }) => caller === name)) continue
    complaints.warn(['callers', name], 'it may do nothing: add a grant, or remove it')
  }
  for (const grant of signing) {
    const why = neverMatches(grant)
    if (why !== undefined) complaints.warn(placeOf(grant), `it refuses every request: ${why}`)
  }
}

function signs({ operations }: Grant): boolean {
  return operations.some((operation) => operation !== 'read-fingerprint')
}

/** `grants[2]`, as the place it is. */
function placeOf({ name }: Grant): readonly (string | number)[] {
  return ['grants', Number(/\d+/.exec(name)?.[0])]
}

function neverMatches({ key: { profile }, noExpiry, claims }: Grant): string | undefined {
  if (!profile) return undefined
  if (grantNeeds(profile.name).noExpiry && !noExpiry) {
    return 'tokens of its profile never expire, and it does not say noExpiry: true'
  }
  const required = claims.filter(({ optional }) => !optional)
  const tooMany = claimSetComplaint(Object.fromEntries(required.map(({ claim }) => [claim, 0])))
  if (tooMany) return `claims have ${tooMany.message}`
  const impossible = required.find(({ claim, check }) => !isPlain(claim) || !canHold(check))
  return impossible && `no claim ${impossible.claim} can be sent that its rule allows`
}

/** A member's name is sent as it is: one with an escape is refused wherever JSON is read. */
function isPlain(name: string): boolean {
  return JSON.stringify(name) === `"${name}"`
}

/** Whether any value within the bounds of a request satisfies the check. */
function canHold(check: ClaimCheck): boolean {
  switch (check.kind) {
    case 'const':
      return fits(check.value)
    case 'oneOf':
      return check.values.some(fits)
    case 'prefix':
      return fits(check.prefix)
    case 'text':
    case 'fromCaller':
      return true
  }
}

function fits(value: string | number | boolean): boolean {
  return claimSetComplaint({ value }) === undefined
}
