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
  try {
    return answer(request)
  } catch (error) {
    return { type: 'failure', id: request.id, message: described(error) }
  }
}

function answer(request: Exclude<AuditRequest, { type: 'close' }>): AuditReply {
  const { id } = request
  const now = systemClock.now()
  switch (request.type) {
    case 'snapshot':
      return { type: 'snapshot', id, snapshot: store.snapshot(request.revision) }
    case 'beat':
      store.beat(request.heartbeat, { now, monotonicMs: systemClock.monotonicMs() })
      return { type: 'beat', id }
    case 'suspend':
      return { type: 'suspend', id, isNew: store.suspendVersion(request.suspension, now) }
    case 'backlog':
      return { type: 'backlog', id, backlog: store.backlog(now) }
    case 'commit':
      return { type: 'commit', id, result: store.commit(request.batch, now) }
  }
}

function described(error: unknown): string {
  if (!(error instanceof Error)) return 'not an Error'
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
