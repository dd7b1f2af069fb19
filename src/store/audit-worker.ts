import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'
import { systemClock } from '../lib/clock.ts'
import type { AuditRequest, AuditReply } from './audit-thread.ts'
import { AuditStore } from './audit-store.ts'
import { openSqlite } from './sqlite.ts'

/** The entry of the audit worker thread: the one place where `serve` touches the store. */
const { file, identity } = z
  .object({
    file: z.string(),
    identity: z.object({ writer: z.string(), program: z.string(), environment: z.string() }),
  })
  .parse(workerData)

const database = openSqlite(file)
const store = new AuditStore(database, identity)

parentPort?.on('message', (request: AuditRequest) => {
  if (request.type === 'close') {
    database.close()
    parentPort?.close()
    return
  }
  parentPort?.postMessage(reply(request))
})

function reply(request: Exclude<AuditRequest, { type: 'close' }>): AuditReply {
  const { id } = request
  try {
    if (request.type === 'snapshot') {
      return { type: 'snapshot', id, snapshot: store.snapshot(request.revision) }
    }
    return { type: 'commit', id, result: store.commit(request.batch, systemClock.now()) }
  } catch (error) {
    return { type: 'failure', id, message: described(error) }
  }
}

function described(error: unknown): string {
  if (!(error instanceof Error)) return 'not an Error'
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
