import { describe, expect, test } from 'vitest'
import { fingerprintNamed, readFingerprints } from '../../src/service/fingerprint.ts'
import { signFor } from '../../src/service/sign.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import { grantOn, keyOf, profileSettings } from '../support/grant.ts'
import { house } from '../support/house.ts'
import {
  changeStore,
  commandFor,
  heldVersion,
  patience,
  signingService,
} from '../support/signing-service.ts'
import { houseKeys } from '../support/house.ts'
import { memoryKey } from '../support/memory-key.ts'

const caller = { name: 'blog-backend', attributes: {} }
const reading = (key: string, version: 'signing' | 'all' | number = 'signing') => ({
  request: 'a-request',
  callerRequest: undefined,
  caller,
  key,
  version,
})

/** Tokens of this profile name their version, so two of them may sign. */
function twoActive() {
  const houseToken = keyOf('face-sdk', {
    algorithm: algorithm('HS256'),
    profile: profileSettings['api-key-token'],
  })
  const second = heldVersion(houseToken, { n: 2, memory: memoryKey('HS256', 'other') })
  return { houseToken, held: [heldVersion(houseToken), second] }
}

describe('what is read', () => {
  test('is of the version that signs, as the store last said', async () => {
    const { deps, keys, state } = await signingService(house())
    const [one] = readFingerprints(deps, reading('reports'))
    expect(one).toMatchObject({ version: 1, state: 'active', alg: 'ES256', custody: 'software' })
    const second = heldVersion(houseKeys.reports, { n: 2, memory: memoryKey('ES256', 'other') })
    changeStore(state, [heldVersion(houseKeys.reports, { state: 'retiring' }), second])
    await keys.reload(patience)
    const [two] = readFingerprints(deps, reading('reports'))
    expect(two).toMatchObject({ version: 2, kid: second.version.kid })
    expect(two?.fingerprints).not.toEqual(one?.fingerprints)
    expect(readFingerprints(deps, reading('reports', 'all')).map(({ version }) => version)).toEqual(
      [1, 2],
    )
  })

  test('of two that sign, is of the one that signs claims', async () => {
    const { houseToken, held } = twoActive()
    const grant = grantOn(houseToken, {
      operations: ['sign-claims', 'read-fingerprint'],
      noExpiry: true,
    })
    const { deps } = await signingService({ held, grants: [grant] })
    const form = { kind: 'claims', claims: { fingerprint: 'device-1' } } as const
    const { version } = await signFor(deps, commandFor('face-sdk', form), patience)
    expect(version).toBe(2)
    expect(readFingerprints(deps, reading('face-sdk'))).toMatchObject([{ version }])
  })

  test('is read without the vault: one that is down still has fingerprints', async () => {
    const { held, grants } = house()
    const { deps, keys, state } = await signingService({ held: [], grants })
    state.beforeOpen = () => {
      throw new Error('the vault is down')
    }
    changeStore(state, held)
    await keys.reload(patience)
    expect(readFingerprints(deps, reading('reports'))).toMatchObject([{ version: 1 }])
  })

  test('never says where a version lives', async () => {
    const { deps } = await signingService(house())
    const text = JSON.stringify(readFingerprints(deps, reading('reports', 'all')))
    expect(text).not.toMatch(/resource|"local"|spki"/)
  })
})

describe('one of them', () => {
  test('is the one that was named', async () => {
    const { deps } = await signingService(house())
    const [one] = readFingerprints(deps, reading('reports'))
    if (!one) throw new TypeError('reports has a version')
    expect(fingerprintNamed(one, 'github')).toBe(one.fingerprints.github)
    expect(fingerprintNamed(one, 'rfc7638')).toBe(one.kid)
  })

  test('of a symmetric key there is none', async () => {
    const { deps } = await signingService(house())
    const [mac] = readFingerprints(deps, reading('mac'))
    if (!mac) throw new TypeError('mac has a version')
    expect(mac.fingerprints).toEqual({})
    expect(() => fingerprintNamed(mac, 'github')).toThrow(
      expect.objectContaining({ code: 'no_public_key' }),
    )
  })
})
