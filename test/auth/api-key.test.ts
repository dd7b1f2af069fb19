import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { apiKeyAuthenticator, createApiKey } from '../../src/auth/api-key.ts'
import type { Authenticator, Caller } from '../../src/auth/caller.ts'

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const shape = /^chn_([0-9A-Za-z]{10})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/

/** CRC-32 as ISO 3309 has it, bit by bit. */
function naiveCrc32(text: string): number {
  let rest = 0xffff_ffff
  for (const byte of Buffer.from(text)) {
    rest ^= byte
    for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb8_8320 : rest >>> 1
  }
  return (rest ^ 0xffff_ffff) >>> 0
}

describe('a new API key', () => {
  const made = Array.from({ length: 300 }, createApiKey)

  test('has a prefix, an id, a secret of 256 bits and a checksum', () => {
    expect(made.filter(({ text }) => !shape.test(text))).toEqual([])
    expect(62n ** 43n > 2n ** 256n).toBe(true)
  })

  test('ends in the CRC-32 of what stands before, in base62', () => {
    const wrong = made.filter(({ text }) => {
      const digits = Array.from(text.slice(-6), (digit) => base62.indexOf(digit))
      const checksum = digits.reduce((sum, digit) => sum * 62 + digit, 0)
      return checksum !== naiveCrc32(text.slice(0, -6))
    })
    expect(wrong).toEqual([])
  })

  test('leaves a record of its public id and a digest of all of it, and nothing else', () => {
    for (const { text, record } of made) {
      const sha256 = new Uint8Array(hash('sha256', text, 'buffer'))
      expect(record).toEqual({ id: shape.exec(text)?.[1], sha256 })
    }
  })

  test('is never made twice, and uses the whole alphabet', () => {
    expect(new Set(made.map(({ text }) => text)).size).toBe(300)
    expect(new Set(made.map(({ record }) => record.id)).size).toBe(300)
    expect(new Set(made.flatMap(({ text }) => text.slice(15, 58).split(''))).size).toBe(62)
  })
})

describe('an API key in a request', () => {
  const [old, current, foreign, unknown] = [
    createApiKey(),
    createApiKey(),
    createApiKey(),
    createApiKey(),
  ]
  const keys = apiKeyAuthenticator([
    { name: 'web', apiKeys: [old.record, current.record] },
    { name: 'billing', apiKeys: [foreign.record] },
    { name: 'without', apiKeys: [] },
  ])
  const authenticate = (bearer: string) => whoIs(keys, bearer)

  test('says whose it is, by name alone', async () => {
    await expect(authenticate(current.text)).resolves.toEqual({
      name: 'web',
      attributes: { name: 'web' },
    })
    await expect(authenticate(foreign.text)).resolves.toMatchObject({ name: 'billing' })
  })

  test('may be either of two while a caller changes from one to the other', async () => {
    await expect(authenticate(old.text)).resolves.toMatchObject({ name: 'web' })
    await expect(authenticate(current.text)).resolves.toMatchObject({ name: 'web' })
  })

  test('that nobody has is nobody’s', async () => {
    await expect(authenticate(unknown.text)).resolves.toBeUndefined()
  })

  test('is nobody’s once its caller no longer lists it', async () => {
    const later = apiKeyAuthenticator([{ name: 'web', apiKeys: [current.record] }])
    await expect(whoIs(later, old.text)).resolves.toBeUndefined()
    await expect(whoIs(later, current.text)).resolves.toMatchObject({ name: 'web' })
  })

  test('with the id of one key and the secret of another is nobody’s', async () => {
    const mixed = [
      current.text.slice(0, 14) + foreign.text.slice(14),
      current.text.slice(0, 14) + old.text.slice(14),
      foreign.text.slice(0, 14) + current.text.slice(14),
    ]
    await expect(Promise.all(mixed.map(authenticate))).resolves.toEqual(mixed.map(() => undefined))
  })

  test('with any one character changed is nobody’s', async () => {
    const { text } = current
    const changed = text
      .split('')
      .flatMap((character, at) =>
        ['0', 'z', '_', ' ']
          .filter((other) => other !== character)
          .map((other) => text.slice(0, at) + other + text.slice(at + 1)),
      )
    expect(changed.length).toBeGreaterThan(3 * text.length - 1)
    const callers = await Promise.all(changed.map(authenticate))
    expect(callers.filter((caller) => caller !== undefined)).toEqual([])
  })

  test.each([
    ['nothing', () => ''],
    ['the id alone', () => current.text.slice(0, 14)],
    ['without its prefix', () => current.text.slice(4)],
    ['in another case', () => current.text.toUpperCase()],
    ['cut short', () => current.text.slice(0, -1)],
    ['with more behind it', () => `${current.text}0`],
    ['with space before it', () => ` ${current.text}`],
    ['with a line feed behind it', () => `${current.text}\n`],
    ['twice', () => `${current.text}${current.text}`],
    ['its digest', () => Buffer.from(current.record.sha256).toString('hex')],
    ['a JWT', () => 'eyJhbGciOiJub25lIn0.e30.'],
    ['a megabyte', () => 'chn_'.repeat(262_144)],
  ])('%s is nobody’s', async (_, text) => {
    await expect(authenticate(text())).resolves.toBeUndefined()
  })
})

test('without any caller, every key is nobody’s', async () => {
  await expect(whoIs(apiKeyAuthenticator([]), createApiKey().text)).resolves.toBeUndefined()
})

test('an unknown id is not let in by a digest of zeros', async () => {
  const zeros = { id: '0000000000', sha256: new Uint8Array(32) }
  const keys = apiKeyAuthenticator([{ name: 'web', apiKeys: [zeros] }])
  await expect(whoIs(keys, createApiKey().text)).resolves.toBeUndefined()
  await expect(whoIs(keys, `chn_0000000000_${'0'.repeat(49)}`)).resolves.toBeUndefined()
})

/** The caller, or nobody. */
async function whoIs(keys: Authenticator<string>, bearer: string): Promise<Caller | undefined> {
  const proof = await keys.authenticate(bearer, new AbortController().signal)
  return 'caller' in proof ? proof.caller : undefined
}
