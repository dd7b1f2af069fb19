import { createHmac } from 'node:crypto'
import { importJWK, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { algorithm } from '../../src/signing/algorithms.ts'
import { publishedJwk } from '../../src/signing/public-jwk.ts'
import { grantOn, keyOf, profileSettings } from '../support/grant.ts'
import { memoryKey, memoryKeyPair, publicAlgorithmNames } from '../support/memory-key.ts'
import { signListener, signPath } from '../support/sign-listener.ts'
import { heldVersion } from '../support/signing-service.ts'

/** The clock of the listener, for a verifier that lives in the same instant. */
const currentDate = new Date(1_800_000_000_000)
const nowSeconds = 1_800_000_000

const segment = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe.each(publicAlgorithmNames)('%s', (name) => {
  const key = keyOf('reports', {
    profile: profileSettings['generic-jwt'],
    algorithm: algorithm(name),
  })
  const grant = grantOn(key, {
    operations: ['sign-claims', 'sign-input'],
    lifetimeSecondsMax: 900,
    claims: [{ claim: 'sub', optional: false, check: { kind: 'text', charactersMax: 9 } }],
  })
  const held = heldVersion(key)
  const { kid } = held.version

  /** As any verifier would: from the published JWK, by its kid. */
  async function verified(jwt: string, which: 'one' | 'other') {
    const { publicKey } = memoryKeyPair(name, which)
    const jwk = publishedJwk(publicKey, kid, name)
    const options = { currentDate, issuer: 'https://acme.example', algorithms: [name] }
    return jwtVerify(jwt, await importJWK(jwk, name), options)
  }

  async function signed(body: object): Promise<string> {
    const { ask } = await signListener({ held: [held], grants: [grant] })
    const { body: members } = await ask(signPath('reports'), { body })
    expect(members).toMatchObject({ alg: name, kid })
    return String(members['jwt'])
  }

  test('claims become a JWT that the published key verifies, and no other key', async () => {
    const jwt = await signed({ claims: { sub: 'Zoë 🔑' } })
    const { payload, protectedHeader } = await verified(jwt, 'one')
    expect(protectedHeader).toEqual({ alg: name, typ: 'JWT', kid })
    expect(payload).toMatchObject({ sub: 'Zoë 🔑', iat: nowSeconds, exp: nowSeconds + 900 })
    await expect(verified(jwt, 'other')).rejects.toMatchObject({
      code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    })
  })

  test('a signing input is signed as it was received', async () => {
    const claims = {
      exp: nowSeconds + 60,
      iat: nowSeconds,
      jti: 'j',
      sub: '42',
      iss: 'https://acme.example',
    }
    const signingInput = `${segment({ kid, alg: name })}.${segment(claims)}`
    const jwt = await signed({ signingInput })
    expect(jwt.startsWith(`${signingInput}.`)).toBe(true)
    expect((await verified(jwt, 'one')).payload).toEqual(claims)
  })
})

describe.each(['HS256', 'HS384', 'HS512'] as const)('%s', (name) => {
  test('a message is answered by the MAC that the secret gives', async () => {
    const key = keyOf('mac', { algorithm: algorithm(name) })
    const grant = grantOn(key, { operations: ['sign-message'] })
    const { ask } = await signListener({ held: [heldVersion(key)], grants: [grant] })
    const message = Buffer.from('any bytes\0at all')
    const { body } = await ask(signPath('mac'), {
      body: { message: message.toString('base64url'), encoding: 'hex' },
    })
    const { secret } = memoryKey(name)
    const expected = createHmac(name.replace('HS', 'sha'), secret).update(message).digest('hex')
    expect(body).toEqual({ signature: expected, key: 'mac', version: 1, kid: 'mac@1', alg: name })
  })
})
