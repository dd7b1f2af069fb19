import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { clientIn } from '../../src/client/client.ts'
import { ChanceryError, createChanceryClient } from '../../src/client/index.ts'
import { clientWorld, signedAnswer } from '../support/client-world.ts'

const credential = 'chn_a'

/** What is thrown, or rejected with. */
async function thrownBy(work: () => unknown): Promise<ChanceryError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof ChanceryError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('a url', () => {
  test.each([
    'https://chancery.example',
    'https://chancery.example:8443/behind/a/path/',
    'http://127.0.0.1:8480',
    'http://127.9.8.7:1',
    'http://[::1]:8480',
  ])('may be %s', async (url) => {
    const world = clientWorld(() => signedAnswer({ now: 0, lastsMs: 1 }))
    await clientIn(world.around, { url, credential }).sign('blog', { claims: {} })
    expect(world.asked.map((one) => one.url)).toEqual([
      `${url.replace(/\/$/, '')}/v1/keys/blog/sign`,
    ])
  })

  test.each([
    'http://chancery.example',
    'http://localhost:8480',
    'http://10.0.0.1',
    'http://127.0.0.1.example',
    'http://[::ffff:127.0.0.1]',
    'http://0.0.0.0:8480',
    'ftp://127.0.0.1',
    'https://user:secret@chancery.example',
    'https://chancery.example?to=there',
    'https://chancery.example/#there',
    'https://chancery.example\\@elsewhere.example',
    'https://chancery.example /',
    'chancery.example',
    '',
  ])('may not be %j: the credential would go there', async (url) => {
    const error = await thrownBy(() => createChanceryClient({ url, credential }))
    expect(error.code).toBe('bad_option')
    expect(error.message).not.toContain('secret')
  })
})

test.each([0, -1, Number.NaN, Infinity, 600_001])('a timeout of %d is none', async (timeoutMs) => {
  const url = 'https://chancery.example'
  const error = await thrownBy(() => createChanceryClient({ url, credential, timeoutMs }))
  expect(error.code).toBe('bad_option')
})

describe('nothing is sent, and nothing said of it, for', () => {
  const tryWith = async (part: { credential?: string | (() => Promise<string>) }, key = 'blog') => {
    const world = clientWorld(() => signedAnswer({ now: 0, lastsMs: 1 }))
    const options = { url: 'https://chancery.example', credential, ...part }
    const error = await thrownBy(() => clientIn(world.around, options).sign(key, { claims: {} }))
    expect(world.asked).toEqual([])
    return error
  }

  test.each(['', 'secretCanary\n', 'secretCanary\r\nX-Other: 1', 'sécretCanary', ' secretCanary'])(
    'a credential that is %j',
    async (text) => {
      for (const form of [text, async () => text]) {
        const error = await tryWith({ credential: form })
        expect(error.code).toBe('bad_option')
        expect(inspect(error, { depth: 9 })).not.toContain('cretCanary')
      }
    },
  )

  test('a credential that cannot be had, whose error is the cause', async () => {
    const cause = new Error('the token file is gone')
    const error = await tryWith({ credential: () => Promise.reject(cause) })
    expect([error.code, error.cause]).toEqual(['credential_unavailable', cause])
  })

  test.each(['', '..', '.', 'a/b', 'a?b', 'a%2fb', 'a b'])('a key named %j', async (key) => {
    expect((await tryWith({}, key)).code).toBe('bad_option')
  })
})

test('the credential stands in no error, whatever goes wrong', async () => {
  const world = clientWorld(() => Promise.reject(new TypeError('fetch failed')))
  const options = { url: 'https://chancery.example', credential: 'chn_secretCanary' }
  const error = await thrownBy(() => clientIn(world.around, options).sign('blog', { claims: {} }))
  expect(error).toMatchObject({ code: 'unreachable', status: undefined, requestId: undefined })
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('secretCanary')
})
