import { createHmac, generateKeySync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tokenSigner } from '../../src/client/index.ts'
import { application, type Application } from '../support/application.ts'
import { homesOfThisFile } from '../support/home.ts'
import { apiKeyKey, importSecret } from '../support/imported-keys.ts'

/** A server that signs its devices' tokens, while the API key of its portal rotates; and `serve`. */

const homes = homesOfThisFile()
const secrets = ['k-1', 'k-2'].map((keyId) => ({ keyId, secret: newSecret() }))
let app: Application
beforeAll(async () => {
  const key = { key: apiKeyKey('face'), grant: 'operations: [sign-input], noExpiry: true' }
  app = await application(homes.copy(), [key], async (home) => {
    for (const { keyId, secret } of secrets) await importSecret(home, 'face', keyId, secret)
  })
})
afterAll(() => app.serving[Symbol.asyncDispose]())

function newSecret(): string {
  return generateKeySync('hmac', { length: 256 }).export().toString('hex')
}

const segment = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

const device = (payload: object, header: object = { alg: 'HS256', typ: 'JWT' }) =>
  `${segment(header)}.${segment(payload)}`

describe('a server that holds no secret', () => {
  test.each(secrets)(
    'has the token of its device signed with the secret of $keyId',
    async ({ keyId, secret }) => {
      const signingInput = device({ key_id: keyId, fingerprint: 'the device’s own' })
      const signature = await tokenSigner(app.client, 'face')(signingInput)
      expect(signature).toBe(createHmac('sha256', secret).update(signingInput).digest('base64url'))
    },
  )

  test('is refused a token of a key id that nobody has imported', async () => {
    const asked = tokenSigner(app.client, 'face')(device({ key_id: 'k-3', fingerprint: 'a' }))
    await expect(asked).rejects.toMatchObject({
      code: 'claims_refused',
      status: 403,
      problem: { rule: 'key_id.const' },
    })
  })

  test.each([
    ['without a device', { key_id: 'k-1' }, 'fingerprint.required'],
    ['with more than it may say', { key_id: 'k-1', fingerprint: 'a', sub: 'b' }, 'sub.unlisted'],
  ])('is refused a token %s', async (_, payload, rule) => {
    const asked = tokenSigner(app.client, 'face')(device(payload))
    await expect(asked).rejects.toMatchObject({ code: 'claims_refused', problem: { rule } })
  })

  test('is refused a token of another algorithm', async () => {
    const header = { alg: 'none', typ: 'JWT' }
    const asked = tokenSigner(
      app.client,
      'face',
    )(device({ key_id: 'k-1', fingerprint: 'a' }, header))
    await expect(asked).rejects.toMatchObject({ code: 'malformed_signing_input', status: 400 })
  })
})
