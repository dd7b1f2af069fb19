import { expect, test } from 'vitest'
import { z } from 'zod'
import { encodeBytes } from '../../src/lib/bytes.ts'
import { AuditStore } from '../../src/store/audit-store.ts'
import { unquotedHeads } from '../../src/store/audit-heads.ts'
import { denial } from '../support/audit-records.ts'
import { auditOfThisTest, identityOf, storeFile, storeOfThisTest } from '../support/store-file.ts'

/** One connection on which many processes, one after the other, could have written. */
async function house() {
  const file = await storeFile()
  await storeOfThisTest(file)
  const { database } = auditOfThisTest(file)
  database.exec('pragma synchronous = off') // nothing dies here, and there are many commits
  const note = JSON.stringify(denial('01R'))
  const batch = { intents: [], notes: [note], checks: [] }
  return {
    database,
    writer: (name: string) => {
      const audit = new AuditStore(database, identityOf(name))
      return { write: () => audit.commit(batch, 0) }
    },
    /** `A 2` for each head. */
    unquoted: () => unquotedHeads(database).map(short),
    quotedBy: (name: string) => {
      const row = database
        .prepare('select body from audit where writer = ? and seq = 1')
        .get(identityOf(name).writer)
      return firstRecord.parse(JSON.parse(String(row?.['body']))).heads.map(short)
    },
  }
}

const firstRecord = z.object({
  heads: z.array(z.object({ writer: z.string(), seq: z.int(), hash: z.string() })),
})

function short({ writer, seq }: { readonly writer: string; readonly seq: number }): string {
  return `${writer.replace(/^0+/, '')} ${seq}`
}

test('a writer quotes every head that nobody has quoted yet, and no other', async () => {
  const { writer, quotedBy, unquoted } = await house()
  const [a, b, c] = [writer('A'), writer('B'), writer('C')]
  expect(unquoted()).toEqual([])
  a.write()
  expect(quotedBy('A')).toEqual([])
  expect(unquoted()).toEqual(['A 2'])
  b.write()
  expect(quotedBy('B')).toEqual(['A 2'])
  expect(unquoted()).toEqual(['B 2'])
  a.write()
  b.write()
  c.write()
  expect(quotedBy('C')).toEqual(['B 3', 'A 3'])
  expect(unquoted()).toEqual(['C 2'])
})

test('what is quoted is the hash of that record', async () => {
  const { database, writer } = await house()
  writer('A').write()
  const [head] = unquotedHeads(database)
  const row = database.prepare('select hash from audit where seq = 2').get()
  expect(head?.hash).toBe(encodeBytes(z.instanceof(Uint8Array).parse(row?.['hash']), 'base64url'))
})

test('a service that outlives hundreds of commands is quoted by each of them, as far as it has come', async () => {
  const { writer, quotedBy } = await house()
  const service = writer('A')
  service.write()
  for (let i = 1; i <= 200; i += 1) {
    const name = `B${String(i).padStart(3, '0')}`
    writer(name).write()
    expect(quotedBy(name)).toContain(`A ${i + 1}`)
    service.write()
  }
})
