import { setTimeout as pause } from 'node:timers/promises'
import { openConnections } from './connection.ts'
import type { LoadJob, LoadResult } from './load-job.ts'
import { Tally } from './tally.ts'

/** How long the last answers may take before they count as errors. */
const drainMs = 10_000

/** Every connection sends its next request when it is answered. */
export async function closedLoop(job: LoadJob): Promise<LoadResult> {
  const tally = new Tally(job)
  const drained = Promise.withResolvers<void>()
  let phase: 'warm-up' | 'measured' | 'over' = 'warm-up'
  let inFlight = 0

  const finish = () => {
    inFlight -= 1
    if (phase === 'over' && inFlight === 0) drained.resolve()
  }
  const connections = await openConnections(job, Buffer.from(job.request), {
    answered(connection, answer) {
      const nowMs = performance.now()
      tally.answered(answer, nowMs - connection.sinceMs, phase === 'measured')
      if (phase === 'over') return finish()
      connection.sinceMs = nowMs
      connection.send()
    },
    broke(_, reason) {
      tally.failed(reason)
      finish()
    },
  })
  for (const connection of connections) {
    inFlight += 1
    connection.sinceMs = performance.now()
    connection.send()
  }
  await pause(job.warmUpMs)
  tally.begin()
  phase = 'measured'
  await pause(job.measureMs)
  tally.end()
  phase = 'over'
  if (inFlight > 0) await Promise.race([drained.promise, pause(drainMs, undefined, { ref: false })])
  for (let i = 0; i < inFlight; i += 1) tally.failed('no answer')
  for (const connection of connections) connection.close()
  return tally.result()
}
