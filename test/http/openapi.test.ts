import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { problemCodes } from '../../src/errors.ts'
import { openApiDocument } from '../../src/http/openapi.ts'
import { problems } from '../../src/http/problem.ts'
import { documentedOperations, undocumented } from '../support/documented.ts'
import { goodClaims, house, houseKeys } from '../support/house.ts'
import { signListener, type SignListener } from '../support/sign-listener.ts'

let listener: SignListener
beforeAll(async () => {
  listener = await signListener(house())
})

const { sign, readFingerprint } = {
  sign: openApiDocument.paths['/v1/keys/{key}/sign'].post,
  readFingerprint: openApiDocument.paths['/v1/keys/{key}/fingerprint'].get,
}

test('the routes of the application are those of the document, and no others', () => {
  const routes = listener.app.routes
    .filter(({ method }) => method !== 'ALL') // the guard, and what answers a wrong method
    .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(':key', '{key}')}`)
  expect(routes.toSorted()).toEqual(documentedOperations.toSorted())
})

test('every operation asks for a credential, but for the two that are public', async () => {
  for (const operation of documentedOperations) {
    const [method = '', template = ''] = operation.split(' ')
    const ask = {
      method: method.toUpperCase(),
      as: null,
      ...(method === 'post' ? { body: goodClaims } : {}),
    }
    const { status } = await listener.ask(template.replace('{key}', 'reports'), ask)
    const isPublic = template === '/openapi.json' || template === '/healthz'
    expect([operation, status]).toEqual([operation, isPublic ? 200 : 401])
  }
  expect([sign.security, readFingerprint.security]).toEqual([[{ bearer: [] }], [{ bearer: [] }]])
})

test('the document is served as it is, without a credential', async () => {
  const { text, headers } = await listener.ask('/openapi.json', { as: null })
  expect(headers.get('content-type')).toBe('application/json')
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(openApiDocument)))
  expect(JSON.parse(text)).toMatchObject({ openapi: '3.1.0' })
})

test('it names no key of the installation, and no caller', async () => {
  const { text } = await listener.ask('/openapi.json', { as: null })
  const names = [...Object.keys(houseKeys), 'blog-backend'].filter((name) =>
    text.includes(`"${name}"`),
  )
  expect(names).toEqual([])
})

test.each([
  ['sign', sign],
  ['fingerprint', readFingerprint],
])('every code of a problem is in the answers of %s, under its own status', (_, { responses }) => {
  const listed = Object.entries(responses).flatMap(([status, { description }]) =>
    description.split(', ').map((code) => [code, Number(status)] as const),
  )
  const byCode = new Map(listed)
  for (const code of problemCodes)
    expect([code, byCode.get(code)]).toEqual([code, problems[code][0]])
})

test('openapi.json at the root is this document', () => {
  const command = `node --input-type=module -e "import { openApiDocument } from './src/http/openapi.ts'; import { writeFileSync } from 'node:fs'; writeFileSync('openapi.json', JSON.stringify(openApiDocument, null, 2) + '\\n')"`
  const committed = readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')
  expect(JSON.parse(committed), `regenerate it: ${command}`).toEqual(
    JSON.parse(JSON.stringify(openApiDocument)),
  )
})

describe('the body of a request', () => {
  const { schema } = sign.requestBody.content['application/json']
  const reader = z.fromJSONSchema({ oneOf: schema.oneOf.map((one) => ({ ...one })) })

  test.each([
    goodClaims,
    { signingInput: 'a.b' },
    { signingInput: 'a.b', encoding: 'hex' },
    { message: '' },
    { message: 'AAAA', encoding: 'base64' },
    { digest: 'AAAA', encoding: 'hex' },
  ])('%j is described', (body) => {
    expect(reader.safeParse(body).success).toBe(true)
  })

  test.each([
    {},
    { claims: {}, message: '' },
    { claims: {}, encoding: 'hex' },
    { message: '', more: 1 },
    { message: '', encoding: 'base32' },
    { signingInput: 'a'.repeat(16_385) },
    { digest: 7 },
  ])('%j is not', (body) => {
    expect(reader.safeParse(body).success).toBe(false)
  })
})

describe('the check that every answer of these tests goes through', () => {
  const signed = { signature: 'a', key: 'k', version: 1, kid: 'k', alg: 'ES256' }
  const check = (status: number, value: unknown, mediaType = 'application/json') =>
    undocumented('POST', '/v1/keys/reports/sign', {
      status,
      mediaType,
      text: JSON.stringify(value),
    })

  test('passes what is described', () => {
    expect(check(200, signed)).toBeUndefined()
  })

  test.each([
    ['a member more', 200, { ...signed, resource: 'r' }, undefined],
    ['a member less', 200, { ...signed, kid: undefined }, undefined],
    ['another type', 200, { ...signed, version: '1' }, undefined],
    ['another status', 418, signed, undefined],
    ['another media type', 200, signed, 'text/html'],
    ['an unknown code', 400, { code: 'made_up' }, 'application/problem+json'],
  ])('sees %s', (_, status, value, mediaType) => {
    expect(check(status, value, mediaType)).toMatch(/\/v1\/keys\/reports\/sign/)
  })
})
