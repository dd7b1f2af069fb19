import { describe, expect, test } from 'vitest'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import { claimSetComplaint, isJsonObject } from '../../src/policy/claim-set.ts'

function members(count: number): JsonObject {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`claim${i}`, i]))
}

/** A claim set of that many levels, itself the first. */
function levels(count: number, kind: 'objects' | 'arrays'): JsonObject {
  let inner: Json = kind === 'objects' ? {} : []
  for (let i = 2; i < count; i += 1) inner = kind === 'objects' ? { c: inner } : [inner]
  return count === 1 ? {} : { c: inner }
}

const name = (length: number): string => 'n'.repeat(length)

describe.each([
  ['members', 64, members, '', 'at most 64 members'],
  ['members inside', 64, (n: number) => ({ c: members(n) }), 'c', 'at most 64 members'],
  ['characters in a name', 64, (n: number) => ({ [name(n)]: 1 }), '', nameMessage()],
  [
    'characters in a name inside',
    64,
    (n: number) => ({ c: [{ [name(n)]: 1 }] }),
    'c.0',
    nameMessage(),
  ],
  ['levels of objects', 8, (n: number) => levels(n, 'objects'), 'c.c.c.c.c.c.c.c', depthMessage()],
  ['levels of arrays', 8, (n: number) => levels(n, 'arrays'), 'c.0.0.0.0.0.0.0', depthMessage()],
  ['bytes in a string', 2_048, (n: number) => ({ c: 's'.repeat(n) }), 'c', stringMessage()],
  [
    'bytes in a string inside',
    2_048,
    (n: number) => ({ c: ['s'.repeat(n)] }),
    'c.0',
    stringMessage(),
  ],
] as const)('%s', (_, most, make, path, message) => {
  test(`${most} are within bounds`, () => {
    expect(claimSetComplaint(make(most))).toBeUndefined()
  })

  test(`${most + 1} are not, and the complaint says where`, () => {
    expect(claimSetComplaint(make(most + 1))).toEqual({ path, message })
  })
})

function nameMessage(): string {
  return 'names have at most 64 characters'
}
function depthMessage(): string {
  return 'at most 8 levels deep'
}
function stringMessage(): string {
  return 'strings have at most 2048 bytes'
}

test('strings are measured in bytes of UTF-8', () => {
  expect(claimSetComplaint({ c: 'ü'.repeat(1_024) })).toBeUndefined()
  expect(claimSetComplaint({ c: 'ü'.repeat(1_025) })).toEqual({
    path: 'c',
    message: stringMessage(),
  })
})

test.each([0, 1, -1, 2 ** 53 - 1, -(2 ** 53) + 1, 1_800_000_000])('the number %d is taken', (c) => {
  expect(claimSetComplaint({ c })).toBeUndefined()
})

test.each([-0, 0.5, -1.5, 1e-7, 2 ** 53, -(2 ** 53), 1e300, Infinity, -Infinity, NaN])(
  'the number %d is refused, at any depth',
  (c) => {
    const message = 'numbers are safe integers'
    expect(claimSetComplaint({ c })).toEqual({ path: 'c', message })
    expect(claimSetComplaint({ c: [{ d: c }] })).toEqual({ path: 'c.0.d', message })
  },
)

test.each(['\uD800', '\uDFFF', 'a\uDBFF', '\uDC00\uD800', '\uD83D'])(
  'a lone surrogate is refused, in a string and in a name: %#',
  (text) => {
    expect(claimSetComplaint({ c: [text] })).toEqual({
      path: 'c.0',
      message: 'not well-formed Unicode',
    })
    expect(claimSetComplaint({ c: { [text]: 1 } })).toEqual({
      path: 'c',
      message: 'a name is not well-formed Unicode',
    })
  },
)

test('what JSON can say within the bounds is taken', () => {
  const claims = {
    a: null,
    b: true,
    c: false,
    d: '𝄞',
    e: [],
    f: {},
    g: [1, ['x', { h: -1 }]],
    '': 0,
  }
  expect(claimSetComplaint(claims)).toBeUndefined()
})

test('a complaint never quotes the value or the name that it is about', () => {
  const canary = 'hunter2'
  const complaints = [
    claimSetComplaint({ c: canary.repeat(1_000) }),
    claimSetComplaint({ [canary.repeat(20)]: 1 }),
    claimSetComplaint({ c: `${canary}\uD800` }),
    claimSetComplaint({ [`${canary}\uD800`]: 1 }),
  ]
  expect(complaints).not.toContain(undefined)
  expect(JSON.stringify(complaints)).not.toContain(canary)
})

test('a claim set is an object, and nothing else', () => {
  expect([{}, { a: 1 }].map(isJsonObject)).toEqual([true, true])
  expect([[], null, 'x', 1, true, undefined].filter(isJsonObject)).toEqual([])
})
