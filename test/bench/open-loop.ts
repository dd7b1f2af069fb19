import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { type Connection, openConnections } from './connection.ts'
import type { LoadJob, LoadResult } from './load-job.ts'
import { percentiles } from './statistics.ts'
import { clockMs, Tally } from './tally.ts'

/** Time for the ticker's thread to come up. */
const leadMs = 200

/** How long the last answers may take before they count as errors. */
const drainMs = 10_000

/** What the ticker is told: when to wake this thread. */
export type Schedule = { readonly startMs: number; readonly gapMs: number; readonly count: number }

/**
 * Requests start on a schedule, whatever became of those before. A latency counts from the scheduled
 * instant, so that waiting for a free connection is part of it: no coordinated omission.
 */
export async function openLoop(job: LoadJob, ratePerSecond: number): Promise<LoadResult> {
  const tally = new Tally(job)
  const gapMs = 1_000 / ratePerSecond
  const warmCount = Math.floor(job.warmUpMs / gapMs)
  const count = warmCount + Math.floor(job.measureMs / gapMs)
  const schedule: Schedule = { startMs: clockMs() + leadMs, gapMs, count }
  const dueMs = (index: number) => schedule.startMs + index * gapMs
  const measuredFromMs = dueMs(warmCount)

  const idle: Connection[] = []
  const waiting: number[] = []
  const lateMs: number[] = []
  const done = Promise.withResolvers<void>()
  let left = count
  const send = (connection: Connection, scheduledMs: number) => {
    connection.sinceMs = scheduledMs
    connection.send()
  }
  const finish = () => {
    left -= 1
    if (left === 0) done.resolve()
  }
  const connections = await openConnections(job, Buffer.from(job.request), {
    answered(connection, answer) {
      tally.answered(answer, clockMs() - connection.sinceMs, connection.sinceMs >= measuredFromMs)
      finish()
      const next = waiting.shift()
      if (next === undefined) idle.push(connection)
      else send(connection, next)
    },
    broke(_, reason) {
      tally.failed(reason)
      finish()
    },
  })
  idle.push(...connections)

  let sent = 0
  const ticker = new Worker(new URL('./ticker.ts', import.meta.url), { workerData: schedule })
  ticker.on('message', () => {
    for (const nowMs = clockMs(); sent < count && dueMs(sent) <= nowMs; sent += 1) {
      if (sent === warmCount) tally.begin()
      const connection = idle.shift() // the longest idle: none is left to time out
      if (connection) {
        if (sent >= warmCount) lateMs.push(nowMs - dueMs(sent))
        send(connection, dueMs(sent))
      } else waiting.push(dueMs(sent))
    }
  })
  const limitMs = leadMs + job.warmUpMs + job.measureMs + drainMs
  await Promise.race([done.promise, pause(limitMs, undefined, { ref: false })])
  tally.end()
  for (let i = 0; i < left; i += 1) tally.failed('no answer')
  for (const connection of connections) connection.close()
  const [lateP50Ms = 0] = percentiles(lateMs, [50])
  return { ...tally.result(), lateP50Ms }
}
