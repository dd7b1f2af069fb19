import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  concatBytes,
  decodeBase64,
  decodeBase64url,
  decodeHex,
  decodeUtf8,
  encodeBytes,
  equalBytes,
  utf8,
} from '../../src/lib/bytes.ts'
import { ServiceError } from '../../src/errors.ts'

const refused = expect.objectContaining({ code: 'malformed_request' })
const anyBytes = fc.uint8Array({ maxLength: 80 })

/** The bytes, or nothing where the text is refused with the one code there is. */
function read(decode: (text: string) => Uint8Array, text: string): Uint8Array | undefined {
  try {
    return decode(text)
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'malformed_request') return undefined
    throw error
  }
}

/** One character put in, left out or changed for one that some decoder would overlook. */
const mutation = fc.tuple(
  fc.nat(),
  fc.nat({ max: 1 }),
  fc.constantFrom(
    '',
    ' ',
    '\n',
    '\t',
    '\0',
    '=',
    '==',
    '+',
    '/',
    '-',
    '_',
    'A',
    'B',
    'z',
    '9',
    'é',
  ),
)
function mutated(text: string, [place, left, put]: readonly [number, number, string]): string {
  const at = place % (text.length + 1)
  return text.slice(0, at) + put + text.slice(at + left)
}

/** The four strict texts of some bytes, of which two or more can be the same. */
function formsOf(bytes: Uint8Array): readonly string[] {
  const url = Buffer.from(bytes).toString('base64url')
  const standard = Buffer.from(bytes).toString('base64')
  const padding = standard.slice(url.length)
  return [url, url + padding, standard.slice(0, url.length), standard]
}

describe('base64', () => {
  test('either alphabet, padded exactly or not at all, leads to the same bytes', () => {
    const property = fc.property(anyBytes, (bytes) => {
      expect(formsOf(bytes).map((text) => Buffer.from(decodeBase64(text)).equals(bytes))).toEqual([
        true,
        true,
        true,
        true,
      ])
    })
    fc.assert(property, { numRuns: 2_000 })
  })

  test('every mutation of a valid text is refused, or is a valid text of what it decodes to', () => {
    const form = fc.nat({ max: 3 })
    const property = fc.property(anyBytes, form, mutation, (bytes, i, change) => {
      const text = mutated(formsOf(bytes)[i] ?? '', change)
      const decoded = read(decodeBase64, text)
      expect(decoded === undefined || formsOf(decoded).includes(text)).toBe(true)
    })
    fc.assert(property, { numRuns: 20_000 })
  })

  test.each([
    ['stray bits', 'YWK='],
    ['stray bits without padding', 'YWK'],
    ['a space', 'YW Jj'],
    ['a line feed at the end', 'YWJj\n'],
    ['a line feed inside', 'YWJj\nYWJj'],
    ['garbage', 'YW Jj!!'],
    ['one character', 'Y'],
    ['one character too many', 'YWJjY'],
    ['padding alone', '='],
    ['padding after whole groups', 'YWJj='],
    ['too little padding', 'YQ='],
    ['too much padding', 'YQ==='],
    ['padding inside', 'YQ==YQ=='],
    ['both alphabets', '-_+/'],
    ['both alphabets, padded', '_+8='],
    ['a percent escape', 'YQ%3D%3D'],
    ['a letter beyond ASCII', 'YWJé'],
    ['a full-width letter', 'YWJＡ'],
    ['a zero byte', 'YWJj\0'],
  ])('%s is refused', (_, text) => {
    expect(() => decodeBase64(text)).toThrow(refused)
  })

  test('no bytes are a valid value', () => {
    expect(decodeBase64('')).toEqual(new Uint8Array())
  })

  test('the refusal does not echo the text', () => {
    expect(() => decodeBase64('hunter2 !')).toThrow(
      expect.objectContaining({ message: 'not strict base64 or base64url' }),
    )
  })
})

describe('base64url', () => {
  test('there is exactly one text for each value', () => {
    const property = fc.property(anyBytes, mutation, (bytes, change) => {
      const text = encodeBytes(bytes, 'base64url')
      expect(Buffer.from(decodeBase64url(text)).equals(bytes)).toBe(true)
      const other = mutated(text, change)
      const decoded = read(decodeBase64url, other)
      expect(decoded === undefined || encodeBytes(decoded, 'base64url') === other).toBe(true)
    })
    fc.assert(property, { numRuns: 10_000 })
  })

  test.each(['YQ==', 'YQ=', 'YWK', '+/8', 'YW Jj', 'YWJj\n', 'Y', '=', '.'])(
    '%j is refused',
    (text) => {
      expect(() => decodeBase64url(text)).toThrow(refused)
    },
  )
})

describe('hex', () => {
  test('both cases are read, lower case is written', () => {
    expect(decodeHex('00fFAb')).toEqual(Uint8Array.of(0, 255, 171))
    expect(encodeBytes(Uint8Array.of(0, 255, 171), 'hex')).toBe('00ffab')
  })

  test.each(['0', '0g', '0x00', '00 00', '00\n', '000'])('%j is refused', (text) => {
    expect(() => decodeHex(text)).toThrow(refused)
  })
})

describe('UTF-8', () => {
  test('text comes back as it went', () => {
    const property = fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(decodeUtf8(utf8(text))).toBe(text)
    })
    fc.assert(property, { numRuns: 2_000 })
  })

  test('a byte order mark is kept, for the reader of the text to refuse', () => {
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b))).toBe('\uFEFF{')
  })

  test.each([
    ['a lone continuation', [0x80]],
    ['a cut sequence', [0xe2, 0x82]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['latin1', [0x61, 0xe9]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00]],
  ])('%s is refused', (_, bytes) => {
    expect(() => decodeUtf8(Uint8Array.from(bytes))).toThrow(refused)
  })
})

test('a view onto a larger buffer is encoded and copied as the view alone', () => {
  const view = Uint8Array.of(1, 2, 3, 4).subarray(1, 3)
  expect(encodeBytes(view, 'hex')).toBe('0203')
  expect(concatBytes(view, view)).toEqual(Uint8Array.of(2, 3, 2, 3))
})

test.each([
  [[], [], true],
  [[1, 2], [1, 2], true],
  [[1, 2], [1, 3], false],
  [[1, 2], [1], false],
  [[], [0], false],
])('%j and %j are equal: %s', (one, other, equal) => {
  expect(equalBytes(Uint8Array.from(one), Uint8Array.from(other))).toBe(equal)
})
