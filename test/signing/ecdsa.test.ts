import { sign, verify } from 'node:crypto'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { algorithm, type AlgorithmName } from '../../src/signing/algorithms.ts'
import { derToJose, joseToDer } from '../../src/signing/ecdsa.ts'
import { memoryKeyPair } from '../support/memory-key.ts'

const curves = [
  { name: 'ES256', order: p256.Point.Fn.ORDER },
  { name: 'ES384', order: p384.Point.Fn.ORDER },
  { name: 'ES512', order: p521.Point.Fn.ORDER },
] as const

function ecRow(name: AlgorithmName) {
  const row = algorithm(name)
  if (row.kty !== 'EC') throw new TypeError(`${name} is not ECDSA`)
  return row
}

/** Big-endian, as few bytes as it takes. */
function magnitude(value: bigint): Buffer {
  const digits = value.toString(16)
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex')
}

/** X.690 §8.3: two's complement, so a leading one bit needs a zero byte before it. */
function derInteger(value: bigint): Buffer {
  const bytes = magnitude(value)
  return derOf(0x02, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes)
}

function derOf(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const length = body.length < 0x80 ? Buffer.of(body.length) : Buffer.of(0x81, body.length)
  return Buffer.concat([Buffer.of(tag), length, body])
}

function naiveDer(r: bigint, s: bigint): Buffer {
  return derOf(0x30, derInteger(r), derInteger(s))
}

function naiveJose(r: bigint, s: bigint, width: number): Buffer {
  const fixed = [r, s].map((value) => Buffer.concat([Buffer.alloc(width), magnitude(value)]))
  return Buffer.concat(fixed.map((bytes) => bytes.subarray(-width)))
}

const refused = expect.objectContaining({
  code: 'signature_invalid',
  message: 'The vault answered a bad signature',
})

describe.each(curves)('$name', ({ name, order }) => {
  const row = ecRow(name)
  const width = row.coordinateBytes

  /** Full-width ones, short ones, and those at either end. */
  const scalar = fc.oneof(
    { weight: 6, arbitrary: fc.bigInt({ min: 1n, max: order - 1n }) },
    fc.nat({ max: width * 8 }).map((shift) => order >> BigInt(shift + 1) || 1n),
    fc.bigInt({ min: 1n, max: 0xffffn }),
    fc.bigInt({ min: order - 0xffn, max: order - 1n }),
  )

  test('DER and r || s lead into each other, as a naive reading of X.690 has it', () => {
    const property = fc.property(scalar, scalar, (r, s) => {
      const [der, jose] = [naiveDer(r, s), naiveJose(r, s, width)]
      expect(Buffer.from(derToJose(der, row)).equals(jose)).toBe(true)
      expect(Buffer.from(joseToDer(jose, row) ?? []).equals(der)).toBe(true)
    })
    fc.assert(property, { numRuns: 4_000 })
  })

  test('what node signs in DER still verifies as r || s', () => {
    const { secret, publicKey } = memoryKeyPair(name)
    const accepted = Array.from({ length: 200 }, (_, i) => {
      const message = utf8(`message ${i}`)
      const jose = derToJose(sign(row.hash, message, secret), row)
      const key = { key: publicKey.object, dsaEncoding: 'ieee-p1363' } as const
      return jose.length === 2 * width && verify(row.hash, message, key, jose)
    })
    expect(accepted).toEqual(Array.from({ length: 200 }, () => true))
  })

  test('any byte put in, left out or changed makes another signature, or none', () => {
    const at = fc.nat({ max: 2 * width + 9 })
    const change = fc.constantFrom('put in', 'left out', 'changed')
    const property = fc.property(scalar, scalar, at, fc.nat({ max: 255 }), change, (...given) => {
      const [r, s, place, byte, kind] = given
      const der = naiveDer(r, s)
      const i = place % der.length
      const rest = der.subarray(kind === 'put in' ? i : i + 1)
      const middle = kind === 'left out' ? Buffer.of() : Buffer.of(byte)
      const mutant = Buffer.concat([der.subarray(0, i), middle, rest])
      const good = naiveJose(r, s, width)
      expect(mutant.equals(der) || !readsAs(mutant, good, row)).toBe(true)
    })
    fc.assert(property, { numRuns: 4_000 })
  })

  const r = order / 3n
  const s = order / 5n
  const [ri, si] = [derInteger(r), derInteger(s)]
  const body = Buffer.concat([ri, si])
  const zero = Buffer.of(0x02, 0x01, 0x00)

  test.each([
    ['nothing', Buffer.of()],
    ['only a tag', Buffer.of(0x30)],
    ['an empty sequence', Buffer.of(0x30, 0x00)],
    ['one integer', derOf(0x30, ri)],
    ['three integers', derOf(0x30, ri, si, derInteger(1n))],
    ['a byte after the sequence', Buffer.concat([naiveDer(r, s), Buffer.of(0)])],
    ['a byte inside, after s', derOf(0x30, ri, si, Buffer.of(0))],
    ['a byte missing', naiveDer(r, s).subarray(0, -1)],
    ['a set instead of a sequence', derOf(0x31, ri, si)],
    ['an octet string instead of an integer', derOf(0x30, derOf(0x04, magnitude(r)), si)],
    ['r of zero', derOf(0x30, zero, si)],
    ['s of zero', derOf(0x30, ri, zero)],
    ['an integer without bytes', derOf(0x30, Buffer.of(0x02, 0x00), si)],
    ['a negative r', derOf(0x30, Buffer.of(0x02, 0x01, 0x80), si)],
    ['a negative s', derOf(0x30, ri, Buffer.of(0x02, 0x02, 0xff, 0x7f))],
    ['r padded with a zero', derOf(0x30, Buffer.of(0x02, 0x02, 0x00, 0x01), si)],
    ['s padded with a zero', derOf(0x30, ri, Buffer.of(0x02, 0x02, 0x00, 0x7f))],
    ['r as large as the order', naiveDer(order, s)],
    ['s as large as the order', naiveDer(r, order)],
    ['s far above the order', naiveDer(r, order * 256n)],
    ['an indefinite length', Buffer.concat([Buffer.of(0x30, 0x80), body, Buffer.of(0, 0)])],
    ['a length of two bytes', Buffer.concat([Buffer.of(0x30, 0x82, 0x00, body.length), body])],
    ['a long length in r', derOf(0x30, Buffer.of(0x02, 0x81, 0x01, 0x01), si)],
    ['a length beyond the end', Buffer.concat([Buffer.of(0x30, 0x84, 0xff, 0xff, 0xff, 0xff)])],
    ['r || s', naiveJose(r, s, width)],
  ])('DER with %s is refused', (_, der) => {
    expect(() => derToJose(der, row)).toThrow(refused)
  })

  test.each([
    ['nothing', new Uint8Array()],
    ['a byte too few', naiveJose(r, s, width).subarray(1)],
    ['a byte too many', Buffer.concat([Buffer.of(0), naiveJose(r, s, width)])],
    ['r of zero', naiveJose(0n, s, width)],
    ['s of zero', naiveJose(r, 0n, width)],
    ['r as large as the order', naiveJose(order, s, width)],
    ['s as large as the order', naiveJose(r, order, width)],
    ['all ones', Buffer.alloc(2 * width, 0xff)],
    ['DER', naiveDer(r, s)],
  ])('r || s that is %s has no DER', (_, jose) => {
    expect(joseToDer(jose, row)).toBeUndefined()
  })
})

test('P-256 never needs the long form of a length, and refuses it', () => {
  const der = naiveDer(p256.Point.Fn.ORDER / 3n, 5n)
  const long = Buffer.concat([Buffer.of(0x30, 0x81), der.subarray(1)])
  expect(() => derToJose(long, ecRow('ES256'))).toThrow(refused)
})

/** Whether the strict reader takes the text for this signature. */
function readsAs(der: Uint8Array, jose: Uint8Array, row: ReturnType<typeof ecRow>): boolean {
  try {
    return Buffer.from(derToJose(der, row)).equals(jose)
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'signature_invalid') throw error
    return false
  }
}
