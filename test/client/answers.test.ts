import { describe, expect, test } from 'vitest'
import { clientIn } from '../../src/client/client.ts'
import { problemCodes } from '../../src/client/error.ts'
import { problemCodes as serviceCodes } from '../../src/errors.ts'
import { clientWorld, problemAnswer, someJwt } from '../support/client-world.ts'

const options = { url: 'https://chancery.example', credential: 'chn_credentialCanary' }
const expiresAt = '2027-01-15T08:10:00Z'
const good = { jwt: someJwt, key: 'blog', version: 3, kid: 'k', alg: 'ES256', expiresAt }

const clientFor = (answer: Response) => clientIn(clientWorld(() => answer).around, options)

test('the client knows every problem that the service names', () => {
  expect(problemCodes).toEqual(serviceCodes)
})

test('an answer is told as it stands', async () => {
  expect(await clientFor(Response.json(good)).sign('blog', { claims: {} })).toEqual(good)
  const forever = { ...good, expiresAt: null }
  expect(await clientFor(Response.json(forever)).sign('blog', { claims: {} })).toEqual(forever)
})

describe('is no answer of the service, and is not told as one:', () => {
  test.each([
    ['an empty body', ''],
    ['a page', '<html></html>'],
    ['a list', '[]'],
    ['null', 'null'],
    ['one about another key', JSON.stringify({ ...good, key: 'other' })],
    ['a JWT of two parts', JSON.stringify({ ...good, jwt: 'e30.e30' })],
    ['a JWT and a newline', JSON.stringify({ ...good, jwt: `${someJwt}\n` })],
    ['no JWT', JSON.stringify({ ...good, jwt: undefined })],
    ['a version in a text', JSON.stringify({ ...good, version: '3' })],
    ['version 0', JSON.stringify({ ...good, version: 0 })],
    ['an end in words', JSON.stringify({ ...good, expiresAt: 'tomorrow' })],
    ['an end that is no day', JSON.stringify({ ...good, expiresAt: '2027-13-45T08:10:00Z' })],
    ['no end', JSON.stringify({ ...good, expiresAt: undefined })],
    ['members of a prototype', '{"__proto__":{"jwt":"a.b.c"},"key":"blog"}'],
  ])('%s', async (_, text) => {
    const asked = clientFor(new Response(text)).sign('blog', { claims: {} })
    await expect(asked).rejects.toMatchObject({ code: 'unexpected_answer' })
  })

  test('one that is longer than any', async () => {
    const asked = clientFor(new Response(' '.repeat(262_145))).sign('blog', { claims: {} })
    await expect(asked).rejects.toMatchObject({ code: 'unexpected_answer', status: 200 })
  })

  test('a redirection, wherever it leads', async () => {
    const headers = { Location: 'https://elsewhere.example/' }
    const world = clientWorld(() => new Response(null, { status: 307, headers }))
    const asked = clientIn(world.around, options).sign('blog', { claims: {} })
    await expect(asked).rejects.toMatchObject({ code: 'redirected', status: 307 })
    expect(world.asked.map(({ init }) => init.redirect)).toEqual(['manual'])
  })

  test('a fingerprint that is more than one line', async () => {
    const asked = clientFor(new Response('SHA256:a=\nmore\n')).fingerprint('blog', {
      format: 'github',
    })
    await expect(asked).rejects.toMatchObject({ code: 'unexpected_answer' })
  })
})

test('a problem is told by its code, with what the service adds to it', async () => {
  const issues = [{ path: 'claims.sub', message: 'too long' }]
  const answer = problemAnswer(403, 'claims_refused', {
    rule: 'sub.prefix',
    claim: 'sub',
    activeKid: 'k',
    issues,
  })
  const error: unknown = await clientFor(answer)
    .sign('blog', { claims: {} })
    .catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({
    name: 'ChanceryError',
    code: 'claims_refused',
    status: 403,
    requestId: 'an-id',
    message: 'claims_refused: A title. A detail (request an-id)',
    problem: { rule: 'sub.prefix', claim: 'sub', activeKid: 'k', issues },
  })
})

test('what a proxy says in the service’s place is not repeated', async () => {
  const page = new Response('<html>proxyCanary</html>', { status: 502 })
  const asked = clientFor(page).sign('blog', { claims: {} })
  await expect(asked).rejects.toMatchObject({
    code: 'unexpected_answer',
    status: 502,
    message: expect.not.stringContaining('proxyCanary'),
  })
})
