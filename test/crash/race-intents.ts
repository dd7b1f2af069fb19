import { writeSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { z } from 'zod'
import { systemClock } from '../../src/lib/clock.ts'
import { AuditStore } from '../../src/store/audit-store.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { intent } from '../support/audit-records.ts'

/**
 * One of two processes of a race: commits intents as fast as it can, always by the versions that
 * will be revoked next, until its stdin ends. Prints `running`, then what it counted.
 */
const [file = '', writer = '', keyCount = ''] = process.argv.slice(2)
const keys = Array.from({ length: z.coerce.number().parse(keyCount) }, (_, i) => `key-${i}`)
const batchSize = 8

const database = openSqlite(file)
database.exec('pragma busy_timeout = 5') // so that both come to their turn
const audit = new AuditStore(database, { writer, program: 'serve', environment: 'test' })
const versions = new Map(keys.map((key) => [key, 1]))
const counts = { batches: 0, permitted: 0, refused: 0, locked: 0 }
let cursor = 0

const state = { isOver: false }
process.stdin.on('end', () => (state.isOver = true)).resume()

while (!state.isOver) {
  await nextTurn()
  commitOne()
  if (counts.batches === 1) writeSync(1, 'running\n')
}
database.close()
writeSync(1, `${JSON.stringify(counts)}\n`)

function commitOne(): void {
  // The last one that was refused, those after it, and two that have gone on to the next version.
  const asked = Array.from({ length: batchSize }, (_, i) => {
    const key = keys[(cursor + keys.length - 2 + i) % keys.length] ?? ''
    const version = versions.get(key) ?? 1
    const request = `${counts.batches}-${i}`
    const body = JSON.stringify(intent(request, { key, version }))
    return { caller: 'web', key, version, body }
  })
  try {
    const { intents } = audit.commit({ intents: asked, notes: [], checks: [] }, systemClock.now())
    counts.batches += 1
    for (const [i, verdict] of intents.entries()) count(asked[i]?.key ?? '', verdict)
  } catch (error) {
    if (!String(error).includes('write lock')) throw error
    counts.locked += 1
  }
}

function count(key: string, verdict: string): void {
  if (verdict === 'may_sign') counts.permitted += 1
  else counts.refused += 1
  if (verdict !== 'version_revoked') return
  versions.set(key, (versions.get(key) ?? 1) + 1)
  cursor = keys.indexOf(key)
}
