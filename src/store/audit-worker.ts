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
  if (request.type !== 'close') {
    parentPort?.postMessage(reply(request))
    return
  }
  leave()
  database.close()
  parentPort?.close()
})

/** A heartbeat that stays behind is no longer believed after a while: no reason to fail a stop. */
function leave(): void {
  try {
    store.leave()
  } catch {
    // the log is the main thread's, and there is nothing to do
  }
}

function reply(request: Exclude<AuditRequest, { type: 'close' }>): AuditReply {
  const { id } = request
  try {
    if (request.type === 'snapshot') {
      return { type: 'snapshot', id, snapshot: store.snapshot(request.revision) }
    }
    if (request.type === 'beat') {
      const instants = { now: systemClock.now(), monotonicMs: systemClock.monotonicMs() }
      store.beat(request.heartbeat, instants)
      return { type: 'beat', id }
    }
    if (request.type === 'suspend') {
      const isNew = store.suspendVersion(request.suspension, systemClock.now())
      return { type: 'suspend', id, isNew }
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
