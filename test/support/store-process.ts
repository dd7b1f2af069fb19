import process from 'node:process'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { parseJson } from '../../src/lib/json.ts'
import { AuditStore } from '../../src/store/audit-store.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { intent } from './audit-records.ts'
import { nextNumber, openEntry } from '../../src/store/journal.ts'
import { releaseLease, takeLease } from '../../src/store/lease.ts'

/**
 * Another process on a store, for tests of what processes do to each other: `fork` it and send it
 * orders, one at a time. It answers each with `{ answer }` or `{ failure }`.
 */
const order = z.discriminatedUnion('do', [
  z.object({ do: z.literal('open'), file: z.string() }),
  z.object({ do: z.literal('keep open'), file: z.string() }),
  z.object({
    do: z.literal('take leases'),
    pids: z.array(z.int()),
    now: z.int(),
    deadPid: z.int(),
  }),
  z.object({ do: z.literal('release'), holder: z.string(), fence: z.int() }),
  z.object({ do: z.literal('reserve'), key: z.string(), count: z.int() }),
  z.object({ do: z.literal('sign'), file: z.string(), batches: z.int() }),
  z.object({ do: z.literal('lock'), file: z.string() }),
  z.object({ do: z.literal('read for a while'), file: z.string() }),
  z.object({ do: z.literal('unlock') }),
])
type Order = z.infer<typeof order>

const identity = { program: 'test', environment: 'test' }
const open = (file: string) => openStore(file, { ...identity, writer: `0${process.pid}` })

let kept: Store | undefined
let lock: DatabaseSync | undefined

async function obey(given: Order): Promise<unknown> {
  switch (given.do) {
    case 'open':
      return (await open(given.file))[Symbol.asyncDispose]()
    case 'keep open':
      kept = await open(given.file)
      return undefined
    case 'take leases':
      return takeLeases(store(), given)
    case 'release':
      return releaseLease(store(), given)
    case 'reserve':
      return reserve(store(), given.key, given.count)
    case 'sign':
      return sign(given.file, given.batches)
    case 'read for a while':
      return readForAWhile(given.file)
    case 'lock':
      lock = new DatabaseSync(given.file)
      return lock.exec('begin immediate')
    case 'unlock':
      return lock?.close()
  }
}

function store(): Store {
  if (kept) return kept
  throw new Error('open a store first')
}

/** All at once, as far as one process can, each as if it were a process of its own. */
async function takeLeases(
  on: Store,
  { pids, now, deadPid }: Extract<Order, { do: 'take leases' }>,
) {
  const isAlive = (pid: number) => pid !== deadPid
  const takes = pids.map((pid) => takeLease(on, { id: `${process.pid} ${pid}`, pid, isAlive }, now))
  return (await Promise.all(takes)).filter((lease) => lease !== undefined)
}

/** Numbers, one transaction each, as fast as it goes. */
async function reserve(on: Store, key: string, count: number): Promise<readonly number[]> {
  const numbers: number[] = []
  while (numbers.length < count) {
    const id = `${process.pid}-${numbers.length}`
    const n = await on.writeTransaction(async (transaction) => {
      const next = await nextNumber(transaction.connection, key)
      await openEntry(transaction, { id, step: 'generate', key, n: next, at: 0 })
      return next
    })
    numbers.push(n)
  }
  return numbers
}

/** Batches of intents, as fast as it goes; @returns how many were stored. */
function sign(file: string, batches: number): number {
  const database = openSqlite(file)
  database.exec('pragma synchronous = off') // so that no wait is the disk's
  const audit = new AuditStore(database, { ...identity, writer: `${process.pid}` })
  const body = JSON.stringify(intent('01R', { key: 'blog', version: 1 }))
  const entry = { caller: 'web', key: 'blog', version: 1, body }
  let stored = 0
  while (stored < batches) {
    const [verdict] = audit.commit({ intents: [entry], notes: [], checks: [] }, 0).intents
    if (verdict !== 'may_sign') throw new Error(`refused: ${verdict}`)
    stored += 1
  }
  database.close()
  return stored
}

const whileMs = 100

/** Holds what every reader holds, of a file that is not yet in WAL; ends by itself. */
function readForAWhile(file: string): void {
  const database = new DatabaseSync(file)
  database.exec('begin')
  database.prepare('select * from sqlite_schema').all()
  setTimeout(() => database.close(), whileMs)
}

process.on('message', (text: string) => {
  obey(order.parse(parseJson(text))).then(
    (answer) => process.send?.({ answer }),
    (error: unknown) => process.send?.({ failure: String(error) }),
  )
})
process.send?.({ answer: 'ready' })
