import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { generatePortalKey, isPortalToken, sdkToken } from '../../src/demo/portal.ts'
import { signingInput } from '../../src/demo/signing-input.ts'

const key = generatePortalKey()
const header = { alg: 'HS256', typ: 'JWT' }
const payload = { key_id: key.keyId, fingerprint: 'device' }

function signed(input: string, secret = key.secret, hash = 'sha256'): string {
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`
}

const isTaken = (jwt: string) => isPortalToken(jwt, key, 'device')

test('the portal takes what its SDK had signed with the key’s secret', async () => {
  expect(await isTaken(signed(sdkToken(key.keyId, 'device')))).toBe(true)
})

test.each([
  ['by another secret', signed(signingInput(header, payload), generatePortalKey().secret)],
  ['of another key id', signed(sdkToken('key-0', 'device'))],
  ['of another device', signed(sdkToken(key.keyId, 'another'))],
  ['with one more claim', signed(signingInput(header, { ...payload, exp: 1 }))],
  ['with one more header member', signed(signingInput({ ...header, kid: 'x' }, payload))],
  [
    'by another hash',
    signed(signingInput({ ...header, alg: 'HS512' }, payload), key.secret, 'sha512'),
  ],
  ['without a signature', `${signingInput(header, payload)}.`],
])('the portal refuses a token %s', async (_, jwt) => {
  expect(await isTaken(jwt)).toBe(false)
})
