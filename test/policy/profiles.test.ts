import { describe, expect, test } from 'vitest'
import { grantNeeds, resolveProfile } from '../../src/policy/profiles.ts'
import { profileNames, profileSettings } from '../support/grant.ts'

const app = {
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
    kidInHeader: true,
    jti: true,
    lifetimeSecondsMax: Number.MAX_SAFE_INTEGER,
    iatBackdatedSeconds: 0,
    callerMaySendIat: false,
    grantListsClaims: true,
    fixed: { iss: 'https://acme.example' },
    reserved: ['iss', 'jti', 'iat', 'exp'],
  },
} as const

describe.each(profileNames)('%s', (name) => {
  test('is the row of the design', () => {
    expect(resolveProfile(profileSettings[name])).toEqual(table[name])
  })

  test('sets and reserves everything that it fixes', () => {
    const { fixed, reserved } = resolveProfile(profileSettings[name])
    expect(reserved).toEqual(expect.arrayContaining([...Object.keys(fixed), 'iss', 'iat', 'exp']))
  })
})

test('only a generic JWT needs a lifetime from the grant, and may list claims', () => {
  const needs = profileNames.map((name) => ({ name, ...grantNeeds(name) }))
  expect(needs.filter(({ maxLifetime }) => maxLifetime).map(({ name }) => name)).toEqual([
    'generic-jwt',
  ])
  expect(needs.filter(({ claims }) => claims).map(({ name }) => name)).toEqual(['generic-jwt'])
})
