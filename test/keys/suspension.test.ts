import { describe, expect, test } from 'vitest'
import {
  everything,
  isSuspended,
  suspensionKinds,
  type SuspensionSubject,
} from '../../src/keys/suspension.ts'

const signing = { caller: 'blog-backend', key: 'blog', version: 3 }

function suspendedBy(...subjects: readonly SuspensionSubject[]): boolean {
  const names = new Set(subjects.map(({ kind, name }) => `${kind} ${name}`))
  return isSuspended(({ kind, name }) => names.has(`${kind} ${name}`), signing)
}

const relevant: readonly SuspensionSubject[] = [
  { kind: 'key', name: 'blog' },
  { kind: 'version', name: 'blog@3' },
  { kind: 'caller', name: 'blog-backend' },
  everything,
]

test('each kind has a subject here', () => {
  expect(relevant.map(({ kind }) => kind)).toEqual(suspensionKinds)
})

describe.each(relevant)('$kind $name', (subject) => {
  test('stops signing on its own', () => {
    expect(suspendedBy(subject)).toBe(true)
  })

  test('goes on stopping it when every other flag is cleared again', () => {
    expect(suspendedBy(...relevant)).toBe(true)
    expect(suspendedBy(...relevant.filter((other) => other === subject))).toBe(true)
    expect(suspendedBy(...relevant.filter((other) => other !== subject))).toBe(true)
  })
})

test('nothing suspended stops nothing', () => {
  expect(suspendedBy()).toBe(false)
})

test.each<SuspensionSubject>([
  { kind: 'key', name: 'blog-2' },
  { kind: 'key', name: 'blo' },
  { kind: 'key', name: '*' },
  { kind: 'version', name: 'blog@2' },
  { kind: 'version', name: 'blog@30' },
  { kind: 'version', name: 'blog' },
  { kind: 'caller', name: 'blog' },
  { kind: 'caller', name: '*' },
  { kind: 'everything', name: 'blog' },
])('a suspended $kind $name stops neither this caller nor this version', (subject) => {
  expect(suspendedBy(subject)).toBe(false)
})
