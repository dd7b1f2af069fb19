import { hash } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Chain, chainRoot, link } from '../../src/audit/chain.ts'

const bodies = fc.array(
  fc.string({ unit: 'binary' }).filter((body) => body.isWellFormed()),
  {
    maxLength: 20,
  },
)

/** SHA-256 over what came before and the exact bytes, from a root of zeros. */
function naiveHashes(all: readonly string[]): readonly Uint8Array[] {
  let head = Buffer.alloc(32)
  return all.map((body) => {
    head = Buffer.from(hash('sha256', Buffer.concat([head, Buffer.from(body)]), 'buffer'))
    return new Uint8Array(head)
  })
}

test('every link is numbered from one, without a gap, and hashes all that came before it', () => {
  const property = fc.property(bodies, (all) => {
    const chain = new Chain('01W')
    const links = all.map((body) => chain.append(body))
    expect(links).toEqual(
      naiveHashes(all).map((hashed, i) => ({
        writer: '01W',
        seq: i + 1,
        body: all[i],
        hash: hashed,
      })),
    )
  })
  fc.assert(property, { numRuns: 500 })
})

test('any record that is changed, left out, put in or moved makes another head', () => {
  const change = fc.constantFrom('changed', 'left out', 'put in', 'moved')
  const some = fc.array(fc.string(), { minLength: 2, maxLength: 10 })
  const property = fc.property(some, fc.nat(), change, (all, place, kind) => {
    const at = place % (all.length - 1)
    const [one = '', next = ''] = all.slice(at)
    const middle = {
      changed: [`${one} `, next],
      'left out': [next],
      'put in': [one, '', next],
      moved: [next, one],
    }[kind]
    const other = [...all.slice(0, at), ...middle, ...all.slice(at + 2)]
    const isSame = kind === 'moved' && one === next
    expect(headOf(other) === headOf(all)).toBe(isSame)
  })
  fc.assert(property, { numRuns: 1_000 })
})

function headOf(all: readonly string[]): string {
  const chain = new Chain('01W')
  for (const body of all) chain.append(body)
  return Buffer.from(chain.mark().head).toString('hex')
}

test('two records cannot be taken for one, nor one for two', () => {
  expect(headOf(['ab', 'c'])).not.toBe(headOf(['a', 'bc']))
  expect(headOf(['ab'])).not.toBe(headOf(['a', 'b']))
  expect(headOf([''])).not.toBe(headOf([]))
})

test('a transaction that is rolled back leaves no trace in the chain', () => {
  const chain = new Chain('01W')
  chain.append('kept')
  const mark = chain.mark()
  chain.append('lost')
  chain.append('lost too')
  chain.rewind(mark)
  expect(chain.append('next')).toEqual({
    writer: '01W',
    seq: 2,
    body: 'next',
    hash: naiveHashes(['kept', 'next']).at(-1),
  })
})

test('a chain is empty until its first record, and again when that is rolled back', () => {
  const chain = new Chain('01W')
  const root = chain.mark()
  expect(chain.isEmpty).toBe(true)
  chain.append('first')
  expect(chain.isEmpty).toBe(false)
  chain.rewind(root)
  expect([chain.isEmpty, chain.mark()]).toEqual([true, { seq: 0, head: chainRoot }])
})

test('the bytes are hashed as they are stored, never normalised', () => {
  const [composed, decomposed] = ['\u00e9', 'e\u0301']
  expect(link(chainRoot, composed)).not.toEqual(link(chainRoot, decomposed))
  expect(link(chainRoot, '{"a":1}')).not.toEqual(link(chainRoot, '{"a": 1}'))
})
