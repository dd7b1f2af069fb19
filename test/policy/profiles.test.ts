import { describe, expect, test } from 'vitest'
import { grantNeeds, resolveProfile } from '../../src/policy/profiles.ts'
import { profileNames, profileSettings } from '../support/grant.ts'

const expiring = { expires: true, versionClaim: undefined, headerIsExact: false, claims: [] }

const app = {
  ...expiring,
  jti: false,
  lifetimeSecondsMax: 600,
  grantListsClaims: false,
}

/** DESIGN §4, row by row, as the table there has it. */
const table = {
  'github-app': {
    ...app,
    kidInHeader: false,
    iatBackdatedSeconds: 60,
    callerMaySendIat: true,
    fixed: { iss: 'Iv23li' },
    reserved: ['iss', 'iat', 'exp'],
  },
  'icr-app': {
    ...app,
    kidInHeader: false,
    iatBackdatedSeconds: 60,
    callerMaySendIat: true,
    fixed: { iss: 'icr-42' },
    reserved: ['iss', 'iat', 'exp'],
  },
  'contentful-app': {
    ...app,
    kidInHeader: true,
    iatBackdatedSeconds: 0,
    callerMaySendIat: false,
    fixed: { iss: '4XyZ' },
    reserved: ['iss', 'iat', 'exp'],
  },
  'client-assertion': {
    ...expiring,
    kidInHeader: true,
    jti: true,
    lifetimeSecondsMax: 300,
    iatBackdatedSeconds: 0,
    callerMaySendIat: false,
    grantListsClaims: false,
    fixed: { iss: 'client-1', sub: 'client-1', aud: 'https://as' },
    reserved: ['iss', 'sub', 'aud', 'jti', 'iat', 'exp'],
  },
  'generic-jwt': {
    ...expiring,
    kidInHeader: true,
    jti: true,
    lifetimeSecondsMax: Number.MAX_SAFE_INTEGER,
    iatBackdatedSeconds: 0,
    callerMaySendIat: false,
    grantListsClaims: true,
    fixed: { iss: 'https://acme.example' },
    reserved: ['iss', 'jti', 'iat', 'exp'],
  },
  'api-key-token': {
    kidInHeader: false,
    jti: false,
    lifetimeSecondsMax: 0,
    iatBackdatedSeconds: 0,
    callerMaySendIat: false,
    grantListsClaims: false,
    expires: false,
    versionClaim: 'key_id',
    headerIsExact: true,
    claims: [
      { claim: 'fingerprint', optional: false, check: { kind: 'text', charactersMax: 512 } },
    ],
    fixed: {},
    reserved: ['key_id'],
  },
} as const

describe.each(profileNames)('%s', (name) => {
  test('is the row of the design', () => {
    expect(resolveProfile(profileSettings[name])).toEqual(table[name])
  })

  test('sets and reserves everything that it fixes', () => {
    const { fixed, reserved, expires } = resolveProfile(profileSettings[name])
    const own = expires ? ['iss', 'iat', 'exp'] : ['key_id']
    expect(reserved).toEqual(expect.arrayContaining([...Object.keys(fixed), ...own]))
  })
})

test('only a generic JWT needs a lifetime from the grant, and may list claims', () => {
  const needs = profileNames.map((name) => ({ name, ...grantNeeds(name) }))
  expect(needs.filter(({ maxLifetime }) => maxLifetime).map(({ name }) => name)).toEqual([
    'generic-jwt',
  ])
  expect(needs.filter(({ claims }) => claims).map(({ name }) => name)).toEqual(['generic-jwt'])
})
