import { describe, expect, test } from 'vitest'
import { inspect } from 'node:util'
import { exitCodeOf } from '../../src/cli/failure.ts'
import { appRegistry, registrationOf, thrownBy, tokenCanary } from '../support/app-registry.ts'
import {
  errorOf,
  type Fault,
  faultyRegistry,
  listOf,
  type Said,
} from '../support/faulty-registry.ts'
import { patience } from '../support/signing-service.ts'

/** A registry that errs: what a job is told, and what becomes of it. */

const one = registrationOf()

const always =
  (said: Said): Fault =>
  () =>
    said
const onPost =
  (said: Said): Fault =>
  ({ method }) =>
    method === 'POST' ? said : undefined
const html = '<html><body>vendor-canary</body></html>'
const htmlHeaders = { 'Content-Type': 'text/html' }
const large = JSON.stringify(listOf(['x'.repeat(2 * 1_048_576)]))

const denied = 'The registry does not accept our token for this: check tokenFile and its role'
const noSlot = 'The app has no free key slot: see `chancery keys show` for what takes them'
const noApp = 'The registry has no such app: correct organization and app in the configuration'
const elsewhere =
  'The registry has this key pair for another app: delete it there, or revoke this version and rotate again'
const unknownForm = 'The registry lists its keys in a form that we do not know'
const incomplete = 'The registry does not list all of its keys'
const forgets = 'The registry accepted the key and does not list it'
const redirects = 'The registry redirects, and no token is sent elsewhere: correct its url'
const reset = { 'X-Contentful-RateLimit-Reset': '3' }

/** `[what it does, how, the code of the error, its message, the exit code of a command]` */
const faults: readonly (readonly [string, Fault, string, string, number])[] = [
  ['401', always(errorOf(401, 'AccessTokenInvalid')), 'registry_denied', denied, 5],
  [
    '401 by a proxy',
    always({ status: 401, body: html, headers: htmlHeaders }),
    'registry_denied',
    denied,
    5,
  ],
  [
    '403',
    onPost(errorOf(403, 'AccessDenied', { reasons: 'The token may only read.' })),
    'registry_denied',
    denied,
    5,
  ],
  [
    '403, no slot is free',
    onPost(errorOf(403, 'AccessDenied', { reasons: 'Usage exceeded.' })),
    'registry_refused',
    noSlot,
    3,
  ],
  ['404, no such app', always(errorOf(404, 'NotFound')), 'registry_refused', noApp, 3],
  [
    '404 by a proxy',
    always({ status: 404, body: html }),
    'registry_unavailable',
    'The registry answered 404',
    5,
  ],
  [
    '400 to a key pair of another app',
    onPost(errorOf(400, 'BadRequest')),
    'registry_refused',
    elsewhere,
    3,
  ],
  [
    '400 to a list',
    always(errorOf(400, 'BadRequest')),
    'registry_unavailable',
    'The registry answered 400',
    5,
  ],
  [
    '413',
    onPost(errorOf(413, 'BadRequest')),
    'registry_unavailable',
    'The registry answered 413',
    5,
  ],
  [
    '422',
    onPost(errorOf(422, 'ValidationFailed')),
    'registry_refused',
    'The registry does not take this key',
    3,
  ],
  [
    '429 with a reset',
    always({ ...errorOf(429, 'RateLimitExceeded'), headers: reset }),
    'registry_unavailable',
    'The registry limits its rate: run again in 3 s',
    5,
  ],
  [
    '429 without one',
    always(errorOf(429, 'RateLimitExceeded')),
    'registry_unavailable',
    'The registry limits its rate: run again in 1 s',
    5,
  ],
  [
    '500',
    always(errorOf(500, 'ServerError')),
    'registry_unavailable',
    'The registry answered 500',
    5,
  ],
  [
    '502 with a page',
    always({ status: 502, body: html, headers: htmlHeaders }),
    'registry_unavailable',
    'The registry answered 502',
    5,
  ],
  [
    '302',
    always({ status: 302, headers: { Location: 'http://127.0.0.1:1/' } }),
    'registry_unavailable',
    redirects,
    5,
  ],
  [
    '200 with a page',
    always({ status: 200, body: html, headers: htmlHeaders }),
    'registry_unavailable',
    unknownForm,
    5,
  ],
  ['200 with nothing', always({ status: 200 }), 'registry_unavailable', unknownForm, 5],
  [
    'a member twice',
    always({ status: 200, body: '{"total":0,"total":1,"items":[]}' }),
    'registry_unavailable',
    unknownForm,
    5,
  ],
  [
    '2 MiB',
    always({ status: 200, body: large }),
    'registry_unavailable',
    'The registry answers more than 1048576 bytes',
    5,
  ],
  ['half an answer', () => 'cut', 'registry_unavailable', 'The registry cannot be reached', 5],
  ['accepts, and forgets', onPost({ status: 201, body: {} }), 'registry_unavailable', forgets, 5],
  [
    'lists fewer keys than it has',
    always({ status: 200, body: listOf([], 1) }),
    'registry_unavailable',
    incomplete,
    5,
  ],
  [
    'lists the same page for ever',
    always({ status: 200, body: listOf(['a'], 3) }),
    'registry_unavailable',
    incomplete,
    5,
  ],
]

describe('publishing to a registry that answers', () => {
  test.each(faults)('%s', async (_, fault, code, message, exitCode) => {
    const { url } = await faultyRegistry(fault)
    const error = await thrownBy(appRegistry(url).publish(one, patience))
    expect({ code: error.code, message: error.message }).toEqual({ code, message })
    expect(exitCodeOf(error)).toBe(exitCode)
  })

  test.each(faults)(
    '%s: no token and no word of the registry’s is in the message',
    async (_, fault) => {
      const { url, asked } = await faultyRegistry(fault)
      const error = await thrownBy(appRegistry(url).publish(one, patience))
      expect(asked[0]?.authorization).toBe(`Bearer ${tokenCanary}`)
      expect(error.message).not.toContain('vendor-canary')
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain(tokenCanary)
    },
  )

  test('429 tells the code when to come again', async () => {
    const { url } = await faultyRegistry(
      always({ ...errorOf(429, 'RateLimitExceeded'), headers: reset }),
    )
    const error = await thrownBy(appRegistry(url).publish(one, patience))
    expect(error.details).toEqual({ retryAfterMs: 3_000 })
  })

  test('429 is waited out, for as long as it says', async () => {
    let left = 2
    const said = { ...errorOf(429, 'RateLimitExceeded'), headers: reset }
    const { url, kids } = await faultyRegistry(() => ((left -= 1) < 0 ? undefined : said))
    const registry = appRegistry(url)
    expect(await registry.publish(one, patience)).toEqual({ verdict: 'done' })
    expect([registry.pauses, kids]).toEqual([[3_000, 3_000], [one.kid]])
  })

  test('429 until the time is over is told as what it is', async () => {
    const { url } = await faultyRegistry(
      always({ ...errorOf(429, 'RateLimitExceeded'), headers: reset }),
    )
    const pause = async () => Promise.reject(new Error('the time is over'))
    const error = await thrownBy(appRegistry(url, undefined, { pause }).publish(one, patience))
    expect(error).toMatchObject({
      code: 'registry_unavailable',
      message: 'The registry limits its rate: run again in 3 s',
    })
  })

  test('a redirection: nobody else is asked, and nobody is sent the token', async () => {
    const other = await faultyRegistry()
    const headers = { Location: `${other.url}/organizations/acme/app_definitions/blog/keys` }
    for (const status of [301, 302, 303, 307, 308]) {
      const { url } = await faultyRegistry(always({ status, headers }))
      const error = await thrownBy(appRegistry(url).publish(one, patience))
      expect([status, error.message]).toEqual([status, redirects])
    }
    expect(other.asked).toEqual([])
  })
})
