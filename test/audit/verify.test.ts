import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Chain, type Link, link } from '../../src/audit/chain.ts'
import type { ChainHead } from '../../src/audit/records.ts'
import { ChainVerifier } from '../../src/audit/verify.ts'
import {
  act,
  fullLife,
  linkWithoutPrevious,
  live,
  quotesIn,
  relinked,
} from '../support/audit-history.ts'
import { cleanCuts, dice, inOrder, type Mutation, mutations } from '../support/audit-mutations.ts'
import { denial, intent } from '../support/audit-records.ts'
import { type Looks, naiveVerdict } from '../support/naive-verify.ts'
import { rawOfThisTest, storeFile, storeOfThisTest, verified } from '../support/store-file.ts'

/** Whatever judges an audit: given its rows, and the heads of an earlier report. */
type Verifier = (
  links: readonly Link[],
  checkpoint: readonly ChainHead[],
) => Promise<'whole' | 'broken'>

const runsEach = 25
const lives = 25

/** A life, and what `audit verify` says when the database holds these rows instead. */
async function auditOf(acts: Parameters<typeof live>[1] = fullLife) {
  const file = await storeFile()
  const links = await live(file, acts)
  const store = await storeOfThisTest(file)
  const raw = rawOfThisTest(file)
  raw.exec('pragma synchronous = off')
  const insert = raw.prepare('insert into audit (writer, seq, body, hash) values (?, ?, ?, ?)')
  const verify: Verifier = async (rows, checkpoint) => {
    raw.exec('begin immediate; delete from audit')
    for (const { writer, seq, body, hash } of rows) insert.run(writer, seq, body, hash)
    raw.exec('commit')
    return (await verified(store, checkpoint)).verdict
  }
  return { links, store, verify, report: await verified(store) }
}

/** How many of these changes a verifier lets pass, by what was done. */
async function missed(
  verify: Verifier,
  links: readonly Link[],
  kinds: Readonly<Record<string, Mutation>>,
  checkpoint: readonly ChainHead[] = [],
): Promise<Readonly<Record<string, number>>> {
  const counts = Object.entries(kinds).map(async ([name, mutate]) => {
    let passed = 0
    let done = 0
    const property = fc.asyncProperty(dice, async (thrown) => {
      const rows = mutate(links, thrown)
      fc.pre(rows !== undefined)
      done += 1
      if ((await verify(inOrder(rows ?? []), checkpoint)) === 'whole') passed += 1
    })
    await fc.assert(property, { numRuns: runsEach })
    if (done < runsEach) throw new Error(`${name}: only ${done} were done`)
    return [name, passed] as const
  })
  const all = await Promise.all(counts)
  return Object.fromEntries(all.filter(([, passed]) => passed > 0))
}

const none = {}

describe('an audit that nobody has touched', () => {
  test('is whole, whatever was written by whom in which order, and the naive verifier says so too', async () => {
    const property = fc.asyncProperty(fc.array(act, { maxLength: 15 }), async (acts) => {
      const { links, report } = await auditOf(acts)
      expect(report.verdict).toBe('whole')
      expect(naiveVerdict(links, [])).toBe('whole')
      expect(report).toMatchObject(countsOf(links))
      expect((await verifyLinks(links, report.heads)).verdict).toBe('whole')
    })
    await fc.assert(property, { numRuns: lives })
  })

  test('is what a second writer makes of the same contents, byte for byte', async () => {
    const property = fc.asyncProperty(fc.array(act, { maxLength: 15 }), async (acts) => {
      const links = await live(await storeFile(), acts)
      expect(relinked(links, link)).toEqual(links)
    })
    await fc.assert(property, { numRuns: lives })
  })

  test('still agrees with an earlier report when it has grown since', async () => {
    const earlier = await auditOf(fullLife.slice(0, 5))
    const checkpoint = earlier.report.heads
    const { links, verify, report } = await auditOf(fullLife)
    expect(checkpoint.length).toBeGreaterThan(1)
    expect(report.records).toBeGreaterThan(earlier.report.records)
    expect(await verify(links, checkpoint)).toBe('whole')
  })

  test('says which intents have no outcome: their signatures may exist', async () => {
    const { report } = await auditOf([
      { do: 'sign', service: 0, inputs: ['a', 'b', 'c'], notes: 0 },
      { do: 'sign', service: 1, inputs: ['a', 'not permitted'], notes: 3 },
    ])
    expect(report).toMatchObject({ intents: 4, unsettled: 1, verdict: 'whole', breaks: [] })
  })
})

describe('an audit that somebody has changed', () => {
  test.each(Object.entries(mutations))(
    'is broken: %s',
    async (name, mutate) => {
      const { links, verify } = await auditOf()
      expect(await verify(links, [])).toBe('whole')
      expect(await missed(verify, links, { [name]: mutate })).toEqual(none)
    },
    60_000,
  )

  test('is broken, in whatever life it was', async () => {
    let done = 0
    const kinds = fc.constantFrom(...Object.values(mutations))
    const property = fc.asyncProperty(
      fc.array(act, { minLength: 3, maxLength: 10 }),
      fc.array(fc.tuple(kinds, dice), { minLength: 5, maxLength: 10 }),
      async (acts, changes) => {
        const { links, verify } = await auditOf(acts)
        for (const [mutate, thrown] of changes) {
          const rows = mutate(links, thrown)
          if (!rows) continue
          done += 1
          expect(await verify(inOrder(rows), [])).toBe('broken')
        }
      },
    )
    await fc.assert(property, { numRuns: lives })
    expect(done).toBeGreaterThan(lives)
  })

  test.each(Object.entries(cleanCuts))(
    'is broken against an earlier report: %s',
    async (name, mutate) => {
      const { links, verify, report } = await auditOf()
      expect(await missed(verify, links, { [name]: mutate }, report.heads)).toEqual(none)
      // Nothing inside can tell: that is what the report is kept for.
      expect(await missed(verify, links, { [name]: mutate })).toEqual({ [name]: runsEach })
    },
    60_000,
  )

  test('is judged as the naive verifier judges it, with and without a report', async () => {
    const { links, verify, report } = await auditOf()
    const kinds = fc.constantFrom(...Object.values({ ...mutations, ...cleanCuts }))
    const heads = fc.subarray([...report.heads])
    const property = fc.asyncProperty(
      kinds,
      kinds,
      dice,
      heads,
      async (one, two, thrown, checkpoint) => {
        const rows = one(links, thrown) ?? links
        const changed = inOrder(two(rows, thrown) ?? rows)
        fc.pre(
          new Set(changed.map(({ writer, seq }) => `${writer} ${seq}`)).size === changed.length,
        )
        expect(await verify(changed, checkpoint)).toBe(naiveVerdict(changed, checkpoint))
      },
    )
    await fc.assert(property, { numRuns: 100 })
  })

  test('names where it breaks, once for each writer, and what is gone', async () => {
    const { links } = await auditOf()
    const [first] = links
    const writer = first?.writer ?? ''
    const changed = links.map((one) =>
      one.writer === writer && one.seq > 1 ? { ...one, body: `${one.body} ` } : one,
    )
    expect((await verifyLinks(changed)).breaks).toEqual([
      { writer, seq: 2, problem: 'the record, or one before it, was changed' },
    ])
    const quoted = quotesIn(links).filter((quote) => quote.writer === writer)
    expect((await verifyLinks(links.filter((one) => one.writer !== writer))).breaks).toEqual(
      quoted.map(({ seq }) => ({
        writer,
        seq,
        problem: 'a later record quotes this one, and it is gone',
      })),
    )
  })
})

describe('records that are linked by the rules', () => {
  const writer = '01W'
  const first = { type: 'writer', writer, heads: [] }

  /** What is wrong with a chain of these, if anything. */
  async function problemsOf(...records: readonly (object | string)[]): Promise<readonly string[]> {
    const chain = new Chain(writer)
    const bodies = records.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))
    const { breaks } = await verifyLinks(bodies.map((body) => chain.append(body)))
    return breaks.map(({ seq, problem }) => `${seq} ${problem}`)
  }

  test('begin with one that names their writer, and name none after it', async () => {
    expect(await problemsOf(first, intent('01A'), denial('01B'))).toEqual([])
    expect(await problemsOf(intent('01A'), denial('01B'))).toEqual(['1 not where it belongs'])
    expect(await problemsOf(first, intent('01A'), first)).toEqual(['3 not where it belongs'])
    const other = { ...first, writer: '01V' }
    expect(await problemsOf(other, intent('01A'))).toEqual(['1 the record of another writer'])
  })

  test.each([
    '',
    'null',
    '[]',
    '{',
    '{"type":"other"}',
    '{"type":"intent"}',
    '{"type":1,"type":1}',
  ])('are of a kind that this program knows: %s is not', async (body) => {
    expect(await problemsOf(first, body)).toEqual(['2 the record cannot be read'])
  })
})

describe('these tests can fail: a verifier or a writer with a mistake is found out', () => {
  const weak =
    (looks: Partial<Looks>): Verifier =>
    async (links, checkpoint) =>
      naiveVerdict(links, checkpoint, looks)

  test('the naive verifier, whole, misses nothing', async () => {
    const { links } = await auditOf()
    expect(await missed(weak({}), links, mutations)).toEqual(none)
  })

  test.each([
    [
      'that does not compare hashes',
      { hashes: false },
      [
        'one letter of a body is edited',
        'a record is deleted and the gap closed',
        'a hash is edited',
      ],
    ],
    [
      'that does not count',
      { numbers: false },
      ['a record gets a number that is free', 'all numbers from a record on are moved'],
    ],
    [
      'that reads no quotes',
      { quotes: false },
      [
        'a whole writer that is quoted is deleted',
        'a writer is cut before what is quoted of it',
        'a writer is rewritten by the rules, up to and past what is quoted of it',
      ],
    ],
  ] as const)('a verifier %s', async (_, looks, kinds) => {
    const { links } = await auditOf()
    expect(naiveVerdict(links, [], looks)).toBe('whole')
    expect(everMissed(links, looks, kinds)).toEqual(kinds)
  })

  test('a writer that links each record to nothing', async () => {
    const { links, verify } = await auditOf()
    const unlinked = relinked(links, linkWithoutPrevious)
    expect(await verify(unlinked, [])).toBe('broken')
    // And if its verifier made the same mistake, records could be taken out and moved about.
    const kinds = [
      'a record is deleted and the gap closed',
      'two records of a writer change places',
      'a copy of a record is put in',
    ]
    const looks = { linkOf: linkWithoutPrevious }
    expect(everMissed(unlinked, looks, kinds)).toEqual(kinds)
  })
})

/** Of these changes, those that such a verifier lets pass with some victim: every one is tried. */
function everMissed(
  links: readonly Link[],
  looks: Partial<Looks>,
  kinds: readonly string[],
): readonly string[] {
  const throws = links.flatMap((_, i) =>
    [0, 3, 7, 12, 19, 40, 61].flatMap((j) => [0, 1, 5].map((k) => [i, j, k] as const)),
  )
  return kinds.filter((name) =>
    throws.some((thrown) => {
      const rows = mutations[name]?.(links, thrown)
      return rows && naiveVerdict(inOrder(rows), [], looks) === 'whole'
    }),
  )
}

async function verifyLinks(links: readonly Link[], checkpoint: readonly ChainHead[] = []) {
  const verifier = new ChainVerifier([...checkpoint, ...quotesIn(links)])
  for (const one of links) verifier.accept(one)
  return verifier.finish()
}

function countsOf(links: readonly Link[]) {
  const typed = (type: string) => links.filter(({ body }) => body.includes(`{"type":"${type}"`))
  return {
    records: links.length,
    writers: new Set(links.map(({ writer }) => writer)).size,
    intents: typed('intent').length,
  }
}
