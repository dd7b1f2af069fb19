import { describe, expect, test } from 'vitest'
import { goodClaims, house } from '../support/house.ts'
import { type Ask, signListener, signPath } from '../support/sign-listener.ts'

const fingerprintPath = (key: string) => `/v1/keys/${key}/fingerprint`

/** A request that is well formed: everything before the grant is passed. */
const requests: readonly (readonly [string, (key: string) => string, Ask])[] = [
  ['claims', signPath, { body: goodClaims }],
  ['claims that no rule allows', signPath, { body: { claims: { exp: 1 } } }],
  ['a signing input', signPath, { body: { signingInput: 'a.b' } }],
  ['a message', signPath, { body: { message: '' } }],
  ['a fingerprint', fingerprintPath, {}],
  ['all fingerprints', (key) => `${fingerprintPath(key)}?version=all`, {}],
  ['a version', (key) => `${fingerprintPath(key)}?version=1`, {}],
  ['a format', (key) => `${fingerprintPath(key)}?format=github`, {}],
]

describe.each(requests)('asked for %s', (_, path, ask) => {
  const named = { ...ask, headers: { 'X-Request-Id': 'the-same' } }

  test('a key that a caller may not use is, to the byte, one that does not exist', async () => {
    const listener = await signListener(house())
    const hidden = await listener.ask(path('hidden'), named)
    const unknown = await listener.ask(path('nobody-has-this'), named)
    expect(hidden.text).toBe(unknown.text)
    expect([...hidden.headers]).toEqual([...unknown.headers])
    expect(hidden.status).toBe(404)
    expect(hidden.body).toEqual({
      type: 'urn:chancery:problem:key_not_found',
      title: 'No such key',
      status: 404,
      detail: 'No such key',
      code: 'key_not_found',
      requestId: 'the-same',
    })
  })

  test('without a name for the request, only its id differs', async () => {
    const listener = await signListener(house())
    const hidden = await listener.ask(path('hidden'), ask)
    const unknown = await listener.ask(path('nobody-has-this'), ask)
    const { requestId, ...rest } = unknown.body
    expect(hidden.body).toMatchObject(rest)
    expect(hidden.body['requestId']).not.toBe(requestId)
    expect(hidden.text.length).toBe(unknown.text.length)
  })

  test('a caller without any grant sees no key at all', async () => {
    const listener = await signListener(house())
    const answers = ['reports', 'documents', 'mac', 'empty', 'nobody-has-this'].map((key) =>
      listener.ask(path(key), { ...named, as: 'stranger' }),
    )
    const texts = (await Promise.all(answers)).map(({ text }) => text)
    expect(new Set(texts).size).toBe(1)
  })

  test('neither version nor vault is looked at before the grant', async () => {
    const { held, grants } = house()
    const listener = await signListener({ held, grants })
    const looked: string[] = []
    const { keys } = listener.deps
    for (const name of ['active', 'activeKid', 'visible'] as const) {
      Object.assign(keys, { [name]: () => void looked.push(name) })
    }
    await listener.ask(path('hidden'), ask)
    expect(looked).toEqual([])
  })
})
