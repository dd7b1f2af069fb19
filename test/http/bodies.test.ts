import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { house } from '../support/house.ts'
import {
  type Answer,
  type Ask,
  signListener,
  type SignListener,
  signPath,
} from '../support/sign-listener.ts'

const bodyBytesMax = 65_536

let listener: SignListener
beforeAll(async () => {
  listener = await signListener(house())
})

const send = (raw: NonNullable<Ask['raw']>, headers: Ask['headers'] = {}): Promise<Answer> =>
  listener.ask(signPath('reports'), { raw, headers })
const codeOf = ({ status, body }: Answer) =>
  status === 200 ? '200 ok' : [status, z.string().parse(body['code'])].join(' ')
const claims = (text: string) => `{"claims":{"sub":${text}}}`
const padded = (bytes: number) => claims('"42"').padEnd(bytes)

/** A body without a declared length, in pieces. */
function pieces(...texts: readonly string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const text of texts) controller.enqueue(Buffer.from(text))
      controller.close()
    },
  })
}

describe('size', () => {
  test('64 KiB are read, and one byte more is refused', async () => {
    const declared = (text: string) => send(text, { 'Content-Length': `${text.length}` })
    expect(codeOf(await declared(padded(bodyBytesMax)))).toBe('200 ok')
    expect(codeOf(await declared(padded(bodyBytesMax + 1)))).toBe('413 request_too_large')
  })

  test('bytes count, not characters', async () => {
    const text = claims(`"${'€'.repeat(bodyBytesMax / 3)}"`)
    expect(codeOf(await send(text))).toBe('413 request_too_large')
  })

  test('a body without a declared length is counted as it comes', async () => {
    const half = ' '.repeat(bodyBytesMax / 2)
    expect(codeOf(await send(pieces(claims('"42"'), half)))).toBe('200 ok')
    expect(codeOf(await send(pieces(half, half)))).toBe('400 malformed_request')
    expect(codeOf(await send(pieces(half, half, ' ')))).toBe('413 request_too_large')
  })

  test('what is beyond the limit is not read', async () => {
    let pulls = 0
    const long = new ReadableStream({
      pull(controller) {
        pulls += 1
        controller.enqueue(Buffer.alloc(16_384, ' '))
        if (pulls === 50) controller.close()
      },
    })
    expect(codeOf(await send(long))).toBe('413 request_too_large')
    expect(pulls).toBeLessThanOrEqual(6)
    const declared = new ReadableStream(
      { pull: () => void (pulls = Infinity) },
      { highWaterMark: 0 },
    )
    const answer = await send(declared, { 'Content-Length': `${bodyBytesMax + 1}` })
    expect(codeOf(answer)).toBe('413 request_too_large')
    expect(pulls).not.toBe(Infinity)
  })
})

test('a body that breaks off is malformed, and no bug of the service', async () => {
  const broken = new ReadableStream({
    pull: (controller) => controller.error(new Error('canary: ECONNRESET')),
  })
  expect(codeOf(await send(broken))).toBe('400 malformed_request')
  const declared = new ReadableStream({
    pull: (controller) => controller.error(new Error('canary: ECONNRESET')),
  })
  expect(codeOf(await send(declared, { 'Content-Length': '100' }))).toBe('400 malformed_request')
})

describe('type', () => {
  test.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
  ])('%s is taken', async (type) => {
    expect(codeOf(await send(claims('"42"'), { 'Content-Type': type }))).toBe('200 ok')
  })

  test.each([
    '',
    'text/plain',
    'text/json',
    'application/jsonp',
    'application/json, text/plain',
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
    'application/json; boundary=x',
    'application/ld+json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=application/json',
  ])('%j is 415', async (type) => {
    const answer = await send(claims('"42"'), { 'Content-Type': type })
    expect(codeOf(answer)).toBe('415 unsupported_media_type')
  })
})

test.each([
  ['nothing', ''],
  ['white space', ' \n'],
  ['no JSON', 'claims'],
  ['half a body', '{"claims":'],
  ['a second value', `${claims('"42"')}{}`],
  ['a byte order mark', `\uFEFF${claims('"42"')}`],
  ['a comment', `${claims('"42"')}//`],
  ['single quotes', "{'claims':{}}"],
  ['an array', '[]'],
  ['an array of bodies', `[${claims('"42"')}]`],
  ['null', 'null'],
  ['a string', '"claims"'],
  ['a duplicate member', '{"claims":{"sub":"42"},"claims":{"sub":"42"}}'],
  ['a duplicate claim', '{"claims":{"sub":"42","sub":"42"}}'],
  ['a duplicate deep inside', '{"claims":{"sub":"42","a":[{"b":{"c":1,"c":1}}]}}'],
  ['__proto__', '{"claims":{"sub":"42","__proto__":{"a":1}}}'],
  ['__proto__ at the top', '{"claims":{"sub":"42"},"__proto__":{}}'],
  ['an escape in a name', String.raw`{"claims":{"\u0073ub":"42"}}`],
  ['an escape in a name at the top', String.raw`{"cl\u0061ims":{"sub":"42"}}`],
  ['an escaped backslash in a name', String.raw`{"claims":{"sub":"42","is\\":1}}`],
  ['a lone surrogate', claims(String.raw`"\ud800"`)],
  ['a lone low surrogate', claims(String.raw`"a\udc00b"`)],
  ['a lone surrogate deep inside', String.raw`{"claims":{"sub":"42","a":["\ud83d"]}}`],
  ['nothing to sign', '{}'],
  ['only an encoding', '{"encoding":"hex"}'],
  ['two forms', '{"claims":{"sub":"42"},"signingInput":"a.b"}'],
  ['all forms', '{"claims":{},"signingInput":"","message":"","digest":""}'],
  ['a digest, and a message', '{"digest":"AAAA","message":"AAAA"}'],
  ['an unknown member', '{"claims":{"sub":"42"},"more":1}'],
  ['an alg', '{"claims":{"sub":"42"},"alg":"none"}'],
  ['claims that are an array', '{"claims":[]}'],
  ['claims that are null', '{"claims":null}'],
  ['claims that are a string', '{"claims":"{}"}'],
  ['a signing input that is a number', '{"signingInput":1}'],
  ['a message that is an array', '{"message":[1]}'],
  ['an unknown encoding', '{"message":"","encoding":"base32"}'],
  ['an encoding in another case', '{"message":"","encoding":"HEX"}'],
  ['an encoding that is null', '{"message":"","encoding":null}'],
  ['Claims', '{"Claims":{"sub":"42"}}'],
])('%s is malformed', async (_, raw) => {
  const answer = await send(raw)
  expect(codeOf(answer)).toBe('400 malformed_request')
})

test.each([
  ['no UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)],
  ['overlong UTF-8', Uint8Array.of(0x7b, 0x22, 0xc1, 0xa1, 0x22, 0x3a, 0x31, 0x7d)],
  ['a surrogate in UTF-8', Uint8Array.of(0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d)],
  ['UTF-16', new Uint8Array(Buffer.from(claims('"42"'), 'utf16le'))],
  ['gzip, which nobody announced', Uint8Array.of(0x1f, 0x8b, 0x08, 0x00)],
])('%s is malformed', async (_, raw) => {
  expect(codeOf(await send(raw))).toBe('400 malformed_request')
})

describe('the bounds of a claim set', () => {
  const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
  const members = (count: number) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, 1])))

  /** The last that is within bounds is refused by the grant's rules alone. */
  test.each([
    ['64 members', members(64), members(65), 'at most 64 members'],
    [
      '64 members of a member',
      `{"a":${members(64)}}`,
      `{"a":${members(65)}}`,
      'at most 64 members',
    ],
    ['8 levels', nested(8), nested(9), 'at most 8 levels deep'],
    [
      'names of 64 characters',
      `{"${'n'.repeat(64)}":1}`,
      `{"${'n'.repeat(65)}":1}`,
      'names have at most 64 characters',
    ],
    [
      'strings of 2 KiB',
      `{"a":"${'x'.repeat(2_048)}"}`,
      `{"a":"${'x'.repeat(2_049)}"}`,
      'strings have at most 2048 bytes',
    ],
    ['2^53 - 1', '{"a":9007199254740991}', '{"a":9007199254740992}', 'numbers are safe integers'],
    ['an integer', '{"a":1.0}', '{"a":1.5}', 'numbers are safe integers'],
    ['zero', '{"a":0}', '{"a":-0}', 'numbers are safe integers'],
    ['a number', '{"a":1e9}', '{"a":1e999}', 'numbers are safe integers'],
  ])('%s', async (_, last, first, message) => {
    expect(codeOf(await send(`{"claims":${last}}`))).toBe('403 claims_refused')
    const beyond = await send(`{"claims":${first}}`)
    expect(codeOf(beyond)).toBe('400 malformed_request')
    expect(beyond.body['issues']).toEqual([{ path: expect.stringMatching(/^claims\./), message }])
  })
})

describe('messages', () => {
  const sign = (message: string) => listener.ask(signPath('documents'), { body: { message } })

  test('8 KiB are signed, and one byte more is too large', async () => {
    const bytes = (length: number) => Buffer.alloc(length, 7).toString('base64')
    expect(codeOf(await sign(bytes(8_192)))).toBe('200 ok')
    const beyond = await sign(bytes(8_193))
    expect(codeOf(beyond)).toBe('413 message_too_large')
    expect(codeOf(await sign(bytes(30_000)))).toBe('413 message_too_large')
  })

  test.each(['', 'AA', 'AA==', 'AAA', 'AAA=', 'AAAA', '-_-_', '+/+/', '--8'])(
    '%j is strict base64 or base64url',
    async (message) => {
      expect(codeOf(await sign(message))).toBe('200 ok')
    },
  )

  test.each([
    ['one letter', 'A'],
    ['short padding', 'AA='],
    ['long padding', 'AA==='],
    ['padding where none belongs', 'AAAA='],
    ['padding alone', '='],
    ['padding before the end', 'AA==AA=='],
    ['stray bits', 'AB', 'AAB'],
    ['both alphabets', '+-AA'],
    ['a space', 'AA AA', ' AAAA', 'AAAA '],
    ['a line feed', 'AAAA\n', 'AA\nAA'],
    ['a letter of no alphabet', 'AA!A', 'ÄAAA', 'AA.A', 'AAAA\0'],
  ])('%s is malformed', async (_, ...texts) => {
    for (const message of texts) {
      const answer = await sign(message)
      expect([message, codeOf(answer)]).toEqual([message, '400 malformed_request'])
      expect(answer.body['issues']).toEqual([
        { path: 'message', message: 'not strict base64 or base64url' },
      ])
    }
  })
})

test('a digest is exactly as long as the hash of the key’s algorithm', async () => {
  const sign = (bytes: number) =>
    listener.ask(signPath('documents'), {
      body: { digest: Buffer.alloc(bytes, 7).toString('base64') },
    })
  expect(codeOf(await sign(32))).toBe('200 ok')
  for (const bytes of [0, 1, 20, 31, 33, 48, 64, 30_000]) {
    const answer = await sign(bytes)
    expect([bytes, codeOf(answer)]).toEqual([bytes, '400 malformed_request'])
    const message = 'ES256 signs a digest of 32 bytes'
    expect(answer.body['issues']).toEqual([{ path: 'digest', message }])
  }
})

test('a signing input has at most 16 KiB', async () => {
  const sign = (signingInput: string) =>
    listener.ask(signPath('reports'), { body: { signingInput } })
  const text = (length: number) => `e30.${'A'.repeat(length - 4)}`
  expect(codeOf(await sign(text(16_384)))).toBe('400 malformed_signing_input')
  const beyond = await sign(text(16_385))
  expect(codeOf(beyond)).toBe('400 malformed_request')
  expect(beyond.body['issues']).toMatchObject([{ path: 'signingInput' }])
})

test.each(['0', '-1', '1.5', '1e3', '+5', ' ', 'soon', '9999999999', '5s', '0x10', '5, 5'])(
  'X-Request-Timeout %j is malformed, and not taken for none',
  async (timeout) => {
    const answer = await send(claims('"42"'), { 'X-Request-Timeout': timeout })
    expect(codeOf(answer)).toBe('400 malformed_request')
  },
)

test('X-Request-Timeout may be longer than the deadline, which it then is not', async () => {
  const answer = await send(claims('"42"'), { 'X-Request-Timeout': '999999999' })
  expect(codeOf(answer)).toBe('200 ok')
})
