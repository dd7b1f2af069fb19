import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { expiringCache } from '../../src/lib/expiring-cache.ts'

const value = { of: 'one' }

test('an entry is there until its instant, and not at it', () => {
  const cache = expiringCache<object>(2)
  cache.set('a', value, 100)
  expect(cache.get('a', 99)).toBe(value)
  expect(cache.get('a', 100)).toBeUndefined()
  expect(cache.get('b', 0)).toBeUndefined()
})

test('an entry that has ended before it came is never there', () => {
  const cache = expiringCache<object>(2)
  cache.set('a', value, 100)
  cache.set('a', { of: 'two' }, -1)
  expect(cache.get('a', 0)).toBeUndefined()
})

test('the one least lately used goes first, and there are never more than that', () => {
  const cache = expiringCache<object>(2)
  cache.set('a', value, 100)
  cache.set('b', value, 100)
  cache.get('a', 0)
  cache.set('c', value, 100)
  expect(['a', 'b', 'c'].filter((key) => cache.get(key, 0))).toEqual(['a', 'c'])
})

test('whatever is found was put there last, and has not ended', () => {
  const entry = fc.record({
    key: fc.constantFrom('a', 'b', '__proto__', 'constructor', ''),
    expiresAt: fc.integer({ min: -5, max: 20 }),
    now: fc.integer({ min: 0, max: 20 }),
  })
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      const cache = expiringCache<object>(100)
      const naive = new Map<string, { value: object; expiresAt: number }>()
      for (const { key, expiresAt, now } of entries) {
        const known = naive.get(key)
        expect(cache.get(key, now)).toBe(known && now < known.expiresAt ? known.value : undefined)
        const made = { expiresAt }
        cache.set(key, made, expiresAt)
        naive.set(key, { value: made, expiresAt })
      }
    }),
  )
})
