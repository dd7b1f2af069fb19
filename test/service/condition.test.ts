import { expect, test } from 'vitest'
import { conditionOf } from '../../src/service/condition.ts'
import { versionOf } from '../support/store-file.ts'

const day = 86_400_000
const nothing = { open: [], unproved: [], orphans: [], processes: 0 }

test('a key is as old as the version that signs, and due when somebody said how often', () => {
  const versions = [
    versionOf('blog', 1, { state: 'retiring', activatedAt: 1 }),
    versionOf('blog', 2, { state: 'active', activatedAt: 10 * day }),
    versionOf('docs', 1, { state: 'active', activatedAt: 5 * day }),
    versionOf('mail', 1, { state: 'revoked', activatedAt: 5 * day }),
  ]
  const everyMs = new Map([
    ['blog', 90 * day],
    ['docs', undefined],
    ['mail', 90 * day],
    ['never-made', 90 * day],
  ])
  const { keys } = conditionOf(versions, nothing, everyMs, undefined)
  expect(keys.map(({ key, signsSinceAt, dueAt }) => [key, signsSinceAt, dueAt])).toEqual([
    ['blog', 10 * day, 100 * day],
    ['docs', 5 * day, undefined],
    ['mail', undefined, undefined],
    ['never-made', undefined, undefined],
  ])
})

test('what waits, and by how many processes it is not proved, is told by key', () => {
  const versions = [
    versionOf('blog', 1, { activatedAt: 1 }),
    versionOf('blog', 2, { state: 'published' }),
    versionOf('blog', 3, { state: 'created' }),
  ]
  const backlog = {
    ...nothing,
    unproved: [{ key: 'blog', count: 4 }],
    orphans: [{ key: 'blog', count: 3 }],
    processes: 2,
  }
  const condition = conditionOf(versions, backlog, new Map([['blog', undefined]]), undefined)
  expect(condition).toMatchObject({ processes: 2, keys: [{ standby: 1, unproved: 4, orphans: 3 }] })
})

test('a version that has ended is still listed until somebody has withdrawn it', () => {
  const ended = (n: number, state: 'revoked' | 'retired', withdrawnAt?: number) =>
    versionOf('blog', n, { state, publishedAt: 1, withdrawnAt })
  const versions = [
    ended(1, 'revoked'),
    ended(2, 'revoked', 7),
    ended(3, 'retired'),
    versionOf('blog', 4, { state: 'revoked' }), // nobody was told of it
    versionOf('blog', 5, { state: 'retiring', publishedAt: 1 }),
  ]
  const { keys } = conditionOf(versions, nothing, new Map([['blog', undefined]]), undefined)
  expect(keys).toMatchObject([{ stillListed: 2 }])
})

test('a version that signs is cut off when its catalogue says so; one that only may come to sign is not', () => {
  const versions = [
    versionOf('blog', 1, { state: 'active' }),
    versionOf('blog', 2, { state: 'published' }),
    versionOf('docs', 1, { state: 'active' }),
  ]
  const every = new Map([
    ['blog', undefined],
    ['docs', undefined],
  ])
  const cutOff = (is: Parameters<typeof conditionOf>[3]) =>
    conditionOf(versions, nothing, every, is).keys.map((one) => [one.key, one.cutOff])
  expect(cutOff(({ key }) => key === 'blog')).toEqual([
    ['blog', 1],
    ['docs', 0],
  ])
  expect(cutOff(undefined)).toEqual([
    ['blog', undefined],
    ['docs', undefined],
  ])
})
