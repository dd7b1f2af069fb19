import { expect, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { homesOfThisFile, type Home } from '../support/home.ts'
import { memoryKey } from '../support/memory-key.ts'
import { audience, oidcIssuer, type OidcIssuer } from '../support/oidc-issuer.ts'
import { type Answer, eventually, type Serving } from '../support/serving.ts'
import { tokenOf } from '../support/token.ts'

const homes = homesOfThisFile()

const firstKeys = { 'rsa-1': memoryKey('RS256'), 'ec-1': memoryKey('ES256') }
const laterKeys = { 'rsa-2': memoryKey('RS256', 'other'), 'ec-2': memoryKey('ES256', 'other') }

/** A home with a caller by tokens of this issuer; a token's claim must stand in what is signed. */
function homeFor({ url }: OidcIssuer): Home {
  const home = homes.copy()
  home.edit((text) =>
    text
      .replace(
        '\ngrants:',
        `\n  workload: { oidc: { issuer: "${url}", audience: ${audience}, algorithms: [RS256, ES256], match: { repository_id: "1234" } } }\ngrants:`,
      )
      .concat(
        '  - { caller: workload, key: first-key, operations: [sign-claims], maxLifetime: 5m, claims: { repo: { fromCaller: repository_id } } }\n',
      ),
  )
  return home
}

/** It would be sent there by most libraries. */
const proxies = { HTTP_PROXY: 'http://127.0.0.1:9', NO_PROXY: 'none' }

const claims = { claims: { repo: '1234' } }

function sign(serving: Serving, token: string): Promise<Answer> {
  return serving.ask('first-key', claims, { apiKey: token })
}

const outcome = ({ status, body }: Answer) => `${status} ${body.code ?? 'ok'}`

test.concurrent('tokens of an issuer sign, while it is there, away, and back with other keys', async () => {
  await using issuer = await oidcIssuer()
  await issuer.start(firstKeys)
  const home = homeFor(issuer)
  await using serving = await home.serve({ env: proxies })
  const ask = async (token: string) => outcome(await sign(serving, token))

  const [first, ec, spare] = await Promise.all([
    issuer.token('RS256'),
    issuer.token('ES256'),
    issuer.token('RS256'),
  ])
  expect([await ask(first), await ask(ec)]).toEqual(['200 ok', '200 ok'])
  const others = await Promise.all([
    issuer.token('RS256', { agedSeconds: 700 }),
    issuer.token('RS256', { agedSeconds: -700 }),
    issuer.token('RS256', { audience: 'another' }),
    issuer.token('RS256', { repository: '1235' }),
  ])
  const refused = await Promise.all(
    [...others, `${first}=`, `${spare.slice(0, -9)}AAAAAAAAA`].map(ask),
  )
  expect(new Set(refused)).toEqual(new Set(['401 unauthenticated']))
  const wrong = await serving.ask('first-key', { claims: { repo: '1235' } }, { apiKey: first })
  expect(outcome(wrong)).toBe('403 claims_refused')

  await issuer.stop()
  expect(await ask(spare)).toBe('200 ok') // new to the service: its keys stand in for the issuer
  const unknown = await tokenOf(laterKeys['rsa-2'], claimsOf(issuer), { kid: 'rsa-2' })
  expect(await ask(unknown)).toBe('503 issuer_unavailable')
  expect(outcome(await serving.ask('first-key', { claims: { sub: '1' } }))).toBe('200 ok')

  await issuer.start(laterKeys)
  const rotated = await issuer.token('ES256')
  await eventually(async () => (await ask(rotated)) === '200 ok')
  expect(await ask(await issuer.token('RS256'))).toBe('200 ok')
  const withdrawn = await tokenOf(firstKeys['rsa-1'], claimsOf(issuer), { kid: 'rsa-1' })
  expect(await ask(withdrawn)).toBe('401 unauthenticated')

  const { exitCode, stderr } = await serving.stop()
  expect(exitCode).toBe(0)
  expect(refusalsIn(stderr)).toEqual([
    'bad_signature',
    'expired',
    'malformed',
    'no_caller_matches',
    'not_yet_valid',
    'unknown_signing_key',
    'wrong_audience',
  ])
  for (const token of [first, spare, unknown]) expect(stderr).not.toContain(token.split('.')[2])
})

test.concurrent('a service that starts while the issuer is away heals by itself', async () => {
  await using issuer = await oidcIssuer()
  await issuer.start(firstKeys)
  const token = await issuer.token('RS256')
  await issuer.stop()
  const home = homeFor(issuer)
  await using serving = await home.serve()
  expect(await serving.readiness()).toEqual({ status: 200, reason: 'ok' })
  const response = await fetch(`${serving.signUrl}/v1/keys/first-key/sign`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(claims),
  })
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
  expect(await response.json()).toMatchObject({
    code: 'issuer_unavailable',
    detail: 'The issuer of the token cannot be asked now',
  })

  await issuer.start(firstKeys)
  await eventually(async () => outcome(await sign(serving, token)) === '200 ok')
})

/** What the issuer would say now. */
function claimsOf({ url }: OidcIssuer): object {
  const iat = Math.floor(systemClock.now() / 1_000)
  return { iss: url, aud: audience, iat, exp: iat + 60, repository_id: '1234' }
}

/** Each reason that the log names, once. */
function refusalsIn(stderr: string): readonly string[] {
  const reasons = stderr.matchAll(/"refusal":"(\w+)"/g).map(([, reason = '']) => reason)
  return [...new Set(reasons)].toSorted()
}
