import { generateKeySync } from 'node:crypto'
import type { VersionState } from '../../src/keys/lifecycle.ts'
import type { Grant } from '../../src/policy/grant.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import { grantOn, keyOf, profileSettings } from './grant.ts'
import { memoryKeyOf } from './memory-key.ts'
import { heldVersion } from './signing-service.ts'

/** An API key while it rotates: two secrets sign, one was replaced, one was stolen. */

export const face = keyOf('face-sdk', {
  algorithm: algorithm('HS256'),
  profile: profileSettings['api-key-token'],
  source: 'imported',
})

const states: readonly VersionState[] = ['retired', 'active', 'active', 'revoked']

/** Of each version, oldest first. */
export const secrets = states.map(() => generateKeySync('hmac', { length: 256 }))

export const versions = secrets.map((secret, i) => {
  const [state, n] = [states[i] ?? 'created', i + 1]
  return heldVersion(face, { state, n, kid: `id-${n}`, memory: memoryKeyOf('HS256', secret) })
})

export const faceGrant: Grant = grantOn(face, {
  operations: ['sign-claims', 'sign-input'],
  noExpiry: true,
})
