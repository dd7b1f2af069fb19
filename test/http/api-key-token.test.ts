import { createHmac } from 'node:crypto'
import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { refusing } from '../support/audit-log.ts'
import { house } from '../support/house.ts'
import { signListener, type SignListener, signPath } from '../support/sign-listener.ts'
import { changeStore, heldVersion, patience } from '../support/signing-service.ts'
import { face, faceGrant, secrets, versions } from '../support/token-keys.ts'

/** Tokens of API keys, as CONTRACT §1.1 has them: 1 is retired, 2 and 3 sign, 4 is revoked. */

const b64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const header = { alg: 'HS256', typ: 'JWT' }
const inputFor = (key_id: unknown, head: object = header) =>
  `${b64(head)}.${b64({ key_id, fingerprint: 'device-1' })}`
const macBy = (n: number, text: string) =>
  createHmac('sha256', secrets[n - 1] ?? '')
    .update(text)
    .digest()

const setting = { held: [...house().held, ...versions], grants: [...house().grants, faceGrant] }
let listener: SignListener
beforeAll(async () => {
  listener = await signListener(setting)
})

const sign = (body: object, accept?: string) =>
  listener.ask(signPath('face-sdk'), { body, ...(accept ? { headers: { Accept: accept } } : {}) })
const signInput = (signingInput: string, more: object = {}) => sign({ signingInput, ...more })

/** Genuine by the secret of exactly this version, whoever verifies. */
async function expectSignedBy(n: number, jwt: unknown): Promise<void> {
  const [head, payload, signature = ''] = String(jwt).split('.')
  expect(Buffer.from(signature, 'base64url')).toEqual(macBy(n, `${head}.${payload}`))
  const verdicts = secrets.map((secret) =>
    compactVerify(String(jwt), secret, { algorithms: ['HS256'] }).then(
      ({ protectedHeader }) => protectedHeader,
      ({ code }: { readonly code: string }) => code,
    ),
  )
  expect(await Promise.all(verdicts)).toEqual(
    secrets.map((_, i) => (i + 1 === n ? header : 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED')),
  )
}

describe('a signing input', () => {
  test.each([2, 3])(
    'that names version %i is signed by it, and says that it never expires',
    async (n) => {
      const signingInput = inputFor(`id-${n}`)
      const { status, body } = await signInput(signingInput)
      expect([status, Object.keys(body)]).toEqual([
        200,
        ['signature', 'jwt', 'key', 'version', 'kid', 'alg', 'expiresAt'],
      ])
      expect(body).toMatchObject({ key: 'face-sdk', version: n, kid: `id-${n}`, alg: 'HS256' })
      expect(body['expiresAt']).toBeNull()
      expect(body['jwt']).toBe(`${signingInput}.${String(body['signature'])}`)
      await expectSignedBy(n, body['jwt'])
    },
  )

  test('may have its members in any order, and is signed as it was sent', async () => {
    const swapped = `${b64({ typ: 'JWT', alg: 'HS256' })}.${b64({ fingerprint: 'f', key_id: 'id-2' })}`
    const { body } = await signInput(swapped)
    expect(body['jwt']).toBe(`${swapped}.${macBy(2, swapped).toString('base64url')}`)
  })

  test.each([
    ['a retired version', inputFor('id-1'), 409, { code: 'version_not_active', activeKid: 'id-3' }],
    ['a revoked version', inputFor('id-4'), 403, { code: 'version_revoked' }],
    ['nobody', inputFor('id-5'), 403, { code: 'claims_refused', rule: 'key_id.const' }],
    ['nothing', inputFor(undefined), 403, { code: 'claims_refused', rule: 'key_id.const' }],
    ['a version by its number', inputFor(2), 403, { code: 'claims_refused', rule: 'key_id.const' }],
    ['a version by our name', inputFor('face-sdk@2'), 403, { rule: 'key_id.const' }],
    ['no typ', inputFor('id-2', { alg: 'HS256' }), 400, { code: 'malformed_signing_input' }],
    [
      'a kid',
      inputFor('id-2', { ...header, kid: 'id-2' }),
      400,
      { code: 'malformed_signing_input' },
    ],
  ] as const)('that names %s is refused', async (_, signingInput, status, members) => {
    const intents = listener.audit.intents.length
    const answer = await signInput(signingInput)
    expect([answer.status, answer.body]).toEqual([status, expect.objectContaining(members)])
    expect(listener.audit.intents).toHaveLength(intents)
  })
})

describe('claims', () => {
  test('are signed by the latest version, which adds its id', async () => {
    const { status, body } = await sign({ claims: { fingerprint: 'device-1' } })
    expect(status).toBe(200)
    expect(body).toMatchObject({ version: 3, kid: 'id-3', alg: 'HS256' })
    expect([Object.keys(body), body['expiresAt']]).toEqual([
      ['jwt', 'key', 'version', 'kid', 'alg', 'expiresAt'],
      null,
    ])
    const jwt = String(body['jwt'])
    expect(decodeProtectedHeader(jwt)).toEqual(header)
    expect(decodeJwt(jwt)).toEqual({ key_id: 'id-3', fingerprint: 'device-1' })
    await expectSignedBy(3, jwt)
  })

  test('with a key_id are refused: the service sets it', async () => {
    const { status, body } = await sign({ claims: { key_id: 'id-2', fingerprint: 'f' } })
    expect([status, body['code'], body['claim']]).toEqual([400, 'claim_not_allowed', 'key_id'])
  })
})

describe.each([
  ['base64url', /^[\w-]{43}$/],
  ['base64', /^[\w+/]{43}=$/],
  ['hex', /^[\da-f]{64}$/],
] as const)('in %s', (encoding, shape) => {
  test('the signature is the version’s own MAC, in JSON and alone', async () => {
    const signingInput = inputFor('id-2')
    const json = await signInput(signingInput, { encoding })
    const text = await sign({ signingInput, encoding }, 'text/plain')
    expect(text.text).toMatch(/^[^\n]+\n$/)
    for (const signature of [String(json.body['signature']), text.text.trimEnd()]) {
      expect(signature).toMatch(shape)
      expect(Buffer.from(signature, encoding)).toEqual(macBy(2, signingInput))
    }
    await expectSignedBy(2, json.body['jwt'])
  })
})

test('claims asked for as text are answered by the JWT and a newline', async () => {
  const { text, headers } = await sign({ claims: { fingerprint: 'f' } }, 'text/plain')
  expect(headers.get('content-type')).toBe('text/plain; charset=utf-8')
  expect(text).toMatch(/^[\w-]+\.[\w-]+\.[\w-]{43}\n$/)
  await expectSignedBy(3, text.trimEnd())
})

test('a grant without noExpiry signs nothing', async () => {
  const grants = [{ ...faceGrant, noExpiry: false }]
  const { ask } = await signListener({ ...setting, grants })
  for (const body of [{ claims: { fingerprint: 'f' } }, { signingInput: inputFor('id-2') }]) {
    const answer = await ask(signPath('face-sdk'), { body })
    expect([answer.status, answer.body['rule']]).toEqual([403, 'noExpiry'])
  }
})

test.each(['suspended', 'version_revoked'] as const)(
  'a version that the store says is %s signs nothing, whatever this process knows',
  async (code) => {
    const { ask, audit } = await signListener(setting)
    audit.answerIntents(refusing(code))
    for (const body of [{ claims: { fingerprint: 'f' } }, { signingInput: inputFor('id-2') }]) {
      const answer = await ask(signPath('face-sdk'), { body })
      expect([answer.status, answer.body['code'], answer.text.includes('eyJ')]).toEqual([
        403,
        code,
        false,
      ])
    }
  },
)

test('a version that is revoked meanwhile does not hand its tokens to the other', async () => {
  const { ask, audit, state, keys } = await signListener(setting)
  const [first, , third, fourth] = versions
  if (!first || !third || !fourth) throw new TypeError('there are four versions')
  const revoked = heldVersion(face, { n: 2, kid: 'id-2', state: 'revoked' })
  audit.answerIntents(refusing('version_revoked'))
  changeStore(state, [first, revoked, third, fourth])
  const body = { signingInput: inputFor('id-2') }
  const before = await ask(signPath('face-sdk'), { body })
  await keys.reload(patience)
  audit.answerIntents(() => 0)
  const after = await ask(signPath('face-sdk'), { body })
  for (const { status, body: told } of [before, after]) {
    expect([status, told['code']]).toEqual([403, 'version_revoked'])
  }
  expect(audit.intents).toEqual([])
})

test('claims whose version is revoked meanwhile name, and are signed by, the one that is left', async () => {
  const { ask, audit, state } = await signListener(setting)
  const [first, second, , fourth] = versions
  if (!first || !second || !fourth) throw new TypeError('there are four versions')
  const revoked = heldVersion(face, { n: 3, kid: 'id-3', state: 'revoked' })
  changeStore(state, [first, second, revoked, fourth])
  audit.answerIntents((intent, signal) =>
    intent.version === 3 ? refusing('version_revoked')(intent, signal) : 0,
  )
  const { body } = await ask(signPath('face-sdk'), { body: { claims: { fingerprint: 'f' } } })
  expect(body).toMatchObject({ version: 2, kid: 'id-2' })
  expect(decodeJwt(String(body['jwt']))).toEqual({ key_id: 'id-2', fingerprint: 'f' })
  await expectSignedBy(2, body['jwt'])
})
