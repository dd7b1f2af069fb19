import { createHmac } from 'node:crypto'
import { assert, constantFrom, integer, property, record, uint8Array } from 'fast-check'
import { expect, test } from 'vitest'
import { algorithm, type MacAlgorithm } from '../../src/signing/algorithms.ts'
import { fitSecret, hmacBlockBytes } from '../../src/signing/hmac-secret.ts'

function macAlgorithm(name: 'HS256' | 'HS384' | 'HS512'): MacAlgorithm {
  const row = algorithm(name)
  if (row.kty === 'oct') return row
  throw new Error(`${name} is no MAC`)
}

const rows = (['HS256', 'HS384', 'HS512'] as const).map(macAlgorithm)
const macOf = (row: MacAlgorithm, secret: Uint8Array, message: Uint8Array) =>
  createHmac(row.hash, secret).update(message).digest('hex')

test('a secret that was made to fit gives the MACs of the one that was given, whatever its length', () => {
  const cases = record({
    row: constantFrom(...rows),
    secret: uint8Array({ minLength: 1, maxLength: 300, size: 'max' }),
    message: uint8Array({ maxLength: 64 }),
    slack: integer({ min: 0, max: 64 }),
  })
  const seen = new Set<string>()
  assert(
    property(cases, ({ row, secret, message, slack }) => {
      const bytesMin = row.macBytes
      const bytesMax = Math.min(bytesMin + slack, hmacBlockBytes[row.hash])
      const fitted = fitSecret(secret, row, { bytesMin, bytesMax })
      seen.add(fitted?.change ?? 'none fits')
      if (!fitted) return secret.length > bytesMax && secret.length <= hmacBlockBytes[row.hash]
      const { length } = fitted.bytes
      const fits = length >= bytesMin && length <= bytesMax
      return fits && macOf(row, fitted.bytes, message) === macOf(row, secret, message)
    }),
    { numRuns: 2_000 },
  )
  expect([...seen].toSorted()).toEqual(['hashed', 'none', 'none fits', 'padded'])
})

test.each([
  [31, 'padded', 32],
  [32, 'none', 32],
  [64, 'none', 64],
  [65, 'hashed', 32],
])('HS256: %i bytes are %s, to %i', (given, change, bytes) => {
  const limits = { bytesMin: 32, bytesMax: 64 }
  const fitted = fitSecret(new Uint8Array(given).fill(7), macAlgorithm('HS256'), limits)
  expect({ change: fitted?.change, bytes: fitted?.bytes.length }).toEqual({ change, bytes })
})

test('what was given stays as it was, for its owner to zero', () => {
  const secret = new Uint8Array(32).fill(7)
  fitSecret(secret, macAlgorithm('HS256'), { bytesMin: 32, bytesMax: 64 })?.bytes.fill(0)
  expect(secret).toEqual(new Uint8Array(32).fill(7))
})
