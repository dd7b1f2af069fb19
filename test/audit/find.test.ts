import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Link } from '../../src/audit/chain.ts'
import { AuditFinder } from '../../src/audit/find.ts'
import { digestKeyBytes, inputDigest } from '../../src/audit/input-digest.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { Secret } from '../../src/lib/secret.ts'
import { findInAudit } from '../../src/service/audit.ts'
import { act, type Act, live } from '../support/audit-history.ts'
import { denial, intent, outcome } from '../support/audit-records.ts'
import { storeFile, storeOfThisTest } from '../support/store-file.ts'

const digest = inputDigest(new Secret(new Uint8Array(digestKeyBytes).fill(7)))
const digestOf = (input: string) => digest(utf8(input))

const input = fc.string({ unit: 'binary', maxLength: 20 })
const signing: fc.Arbitrary<Act> = fc.record({
  do: fc.constant('sign' as const),
  service: fc.nat({ max: 1 }),
  inputs: fc.array(input, { maxLength: 4 }),
  notes: fc.nat({ max: 2 }),
})
const acts = fc.array(fc.oneof({ weight: 3, arbitrary: signing }, { weight: 1, arbitrary: act }), {
  maxLength: 12,
})

test('every input that was signed is found with all its records, and no other, in one pass for all', async () => {
  let found = 0
  const property = fc.asyncProperty(acts, fc.array(input), async (life, others) => {
    const file = await storeFile()
    const links = await live(file, life, digestOf)
    const store = await storeOfThisTest(file)
    const asked = [...new Set([...life.flatMap(inputsOf), ...others, 'not permitted'])]
    const expected = asked.map((one) => ({ label: one, records: recordsAbout(links, one) }))
    const inputs = asked.map((one) => ({ label: one, signed: [utf8(one)] }))
    expect(await findInAudit(store, digest, inputs)).toEqual(expected)
    found += expected.filter(({ records }) => records.length > 0).length
  })
  await fc.assert(property, { numRuns: 40 })
  expect(found).toBeGreaterThan(40)
})

/** As a person would look it up: the intents over it, and the outcomes of those. */
function recordsAbout(links: readonly Link[], asked: string) {
  const records = links.map(({ writer, seq, body }) => ({ writer, seq, record: parsed(body) }))
  const intents = records.filter(({ record }) => record.inputDigest === digestOf(asked))
  const requests = new Set(intents.map(({ record }) => record.request))
  return records.filter(
    ({ record: { type, request } }) =>
      (type === 'intent' || type === 'outcome') && requests.has(request),
  )
}

function parsed(body: string): { type: string; request?: string; inputDigest?: string } {
  return JSON.parse(body)
}

function inputsOf(one: Act): readonly string[] {
  return one.do === 'sign' ? one.inputs.filter((text) => text !== 'not permitted') : []
}

function finderOver(bodies: readonly string[], ...digests: readonly string[]): AuditFinder {
  const finder = new AuditFinder(digests)
  for (const [i, body] of bodies.entries()) {
    finder.accept({ writer: '01W', seq: i + 1, body, hash: new Uint8Array(32) })
  }
  return finder
}

const about = (finder: AuditFinder, one: string) => finder.recordsOf(one).map(({ seq }) => seq)

test('one input may have been signed many times, by many requests', () => {
  const bodies = [
    intent('01A', { inputDigest: 'one' }),
    intent('01B', { inputDigest: 'one' }),
    intent('01C', { inputDigest: 'two' }),
    outcome('01B'),
    outcome('01C'),
    outcome('01A'),
    outcome('01D'),
    denial('01A'),
  ].map((record) => JSON.stringify(record))
  const finder = finderOver(bodies, 'one', 'two', 'three')
  expect(about(finder, 'one')).toEqual([1, 2, 4, 6, 8])
  expect(about(finder, 'two')).toEqual([3, 5])
  expect(about(finder, 'three')).toEqual([])
})

test('a damaged record is passed over, and what stands behind it is found', () => {
  const good = JSON.stringify(intent('01A', { inputDigest: 'one' }))
  const damaged = [good.slice(0, -1), '', '[]', 'null', '{"type":1}', good.replace('"01A"', '7')]
  const finder = finderOver([...damaged, good], 'one')
  expect(about(finder, 'one')).toEqual([damaged.length + 1])
})

test('what was found is told as it is stored', () => {
  const record = { ...intent('01A', { inputDigest: 'one' }), later: ['a member of the future'] }
  const finder = finderOver([JSON.stringify(record)], 'one')
  expect(finder.recordsOf('one')).toEqual([
    { writer: '01W', seq: 1, record: JSON.parse(JSON.stringify(record)) },
  ])
})

test('another digest key finds nothing: a digest says nothing about an input without its key', async () => {
  const file = await storeFile()
  await live(file, [{ do: 'sign', service: 0, inputs: ['a'], notes: 0 }], digestOf)
  const store = await storeOfThisTest(file)
  const other = inputDigest(new Secret(new Uint8Array(digestKeyBytes).fill(8)))
  const inputs = [{ label: 'a', signed: [utf8('a')] }]
  const [byOther, byOurs] = await Promise.all(
    [other, digest].map((one) => findInAudit(store, one, inputs)),
  )
  expect(byOther?.[0]?.records).toEqual([])
  expect(byOurs?.[0]?.records).toHaveLength(2)
})
