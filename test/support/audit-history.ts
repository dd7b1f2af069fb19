import * as fc from 'fast-check'
import { sql } from 'kysely'
import { chainRoot, type Link, link } from '../../src/audit/chain.ts'
import type { ChainHead } from '../../src/audit/records.ts'
import { quotedHeads } from '../../src/audit/verify.ts'
import { type Bytes, encodeBytes } from '../../src/lib/bytes.ts'
import { AuditStore } from '../../src/store/audit-store.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { openStore } from '../../src/store/store.ts'
import { denial, intent, outcome } from './audit-records.ts'
import { addVersions, commandRecord, identityOf, linksIn, versionOf } from './store-file.ts'

/** What may happen to a store in its life, for audits that are written by the code that really writes them. */
export type Act =
  /** A service commits a batch: intents over these inputs, of which some may not sign, and notes. */
  | {
      readonly do: 'sign'
      readonly service: number
      readonly inputs: readonly string[]
      readonly notes: number
    }
  /** A service ends and starts again: another process run, another writer. */
  | { readonly do: 'restart'; readonly service: number }
  /** A command that leaves some records; each is a process of its own. */
  | { readonly do: 'command'; readonly records: number }

const services = 2

export const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('sign' as const),
      service: fc.nat({ max: services - 1 }),
      inputs: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'not permitted'), { maxLength: 4 }),
      notes: fc.nat({ max: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('restart' as const),
      service: fc.nat({ max: services - 1 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('command' as const),
      records: fc.integer({ min: 1, max: 3 }),
    }),
  },
)

/** A life with everything in it: writers that are quoted early, late and never, one that outlives others. */
export const fullLife: readonly Act[] = [
  { do: 'command', records: 2 },
  { do: 'sign', service: 0, inputs: ['a', 'b'], notes: 0 },
  { do: 'sign', service: 0, inputs: ['c'], notes: 2 },
  { do: 'sign', service: 1, inputs: ['d', 'not permitted', 'a'], notes: 1 },
  { do: 'command', records: 3 },
  { do: 'sign', service: 0, inputs: ['b'], notes: 1 },
  { do: 'restart', service: 1 },
  { do: 'sign', service: 1, inputs: ['a', 'b', 'c'], notes: 2 },
  { do: 'command', records: 1 },
  { do: 'sign', service: 0, inputs: ['d', 'd'], notes: 2 },
  { do: 'sign', service: 1, inputs: ['a'], notes: 1 },
]

/**
 * Lives through the acts on a new store.
 *
 * @param digestOf what the intents hold of their inputs.
 * @returns every record, writer by writer.
 */
export async function live(
  file: string,
  acts: readonly Act[],
  digestOf: (input: string) => string = (input) => `digest of ${input}`,
): Promise<readonly Link[]> {
  let count = 0
  const next = () => String((count += 1)).padStart(6, '0')
  await using store = await openStore(file, identityOf('never'))
  await addVersions(store, versionOf('blog'), versionOf('docs', 1, { state: 'retired' }))
  const database = openSqlite(file)
  database.exec('pragma synchronous = off') // nothing dies here, and there are many lives
  const newService = () => new AuditStore(database, identityOf(next(), 'serve'))
  const running = Array.from({ length: services }, newService)

  for (const one of acts) {
    if (one.do === 'command') await runCommand(file, next(), one.records)
    else if (one.do === 'restart') running[one.service] = newService()
    else {
      const intents = one.inputs.map((input) => entry(input, digestOf(input), next()))
      const settled = intents.filter((_, i) => i % 2 === 0).map(({ request }) => outcome(request))
      const notes = [...settled, ...Array.from({ length: one.notes }, () => denial(next()))]
      const batch = { intents, notes: notes.map((note) => JSON.stringify(note)), checks: [] }
      running[one.service]?.commit(batch, count)
    }
  }
  database.close()
  return await linksIn(store)
}

function entry(input: string, inputDigest: string, request: string) {
  const key = input === 'not permitted' ? 'docs' : 'blog'
  const subject = { caller: 'web', key, version: 1 }
  return { ...subject, request, body: JSON.stringify(intent(request, { ...subject, inputDigest })) }
}

async function runCommand(file: string, writer: string, records: number): Promise<void> {
  await using store = await openStore(file, identityOf(writer, 'revoke'))
  await sql`pragma synchronous = off`.execute(store.connection)
  for (let i = 0; i < records; i += 1) {
    await store.writeTransaction(async (transaction) =>
      transaction.record(commandRecord({ reason: `command ${writer}, record ${i}` })),
    )
  }
}

/** How a record is bound to the one before it. */
export type LinkOf = (previous: Uint8Array, body: string) => Bytes

export const linkWithoutPrevious: LinkOf = (_, body) => link(chainRoot, body)

/**
 * A second writer: the same contents, linked and quoted again. With the link of the first one it
 * must come out the same, byte for byte.
 */
export function relinked(links: readonly Link[], linkOf: LinkOf): readonly Link[] {
  const byPlace = new Map(links.map((one) => [`${one.writer} ${one.seq}`, one]))
  const done = new Map<string, Link>()
  const relink = (writer: string, seq: number): Link => {
    const place = `${writer} ${seq}`
    const known = done.get(place)
    if (known) return known
    const original = byPlace.get(place)
    if (!original) throw new Error(`there is no ${place}`)
    const previous = seq === 1 ? chainRoot : relink(writer, seq - 1).hash
    const body = seq === 1 ? requoted(original.body, relink) : original.body
    const again = { writer, seq, body, hash: linkOf(previous, body) }
    done.set(place, again)
    return again
  }
  return links.map(({ writer, seq }) => relink(writer, seq))
}

function requoted(first: string, relink: (writer: string, seq: number) => Link): string {
  return quotedHeads(first).reduce((body, { writer, seq, hash }) => {
    const again = encodeBytes(relink(writer, seq).hash, 'base64url')
    return body.replace(hash, again)
  }, first)
}

/** All heads that first records quote. */
export function quotesIn(links: readonly Link[]): readonly ChainHead[] {
  return links.flatMap(({ seq, body }) => (seq === 1 ? quotedHeads(body) : []))
}
