import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'
import { clockMs } from './tally.ts'

/** The entry of the thread that wakes the open loop on time: Node's own timers know whole milliseconds. */
const { startMs, gapMs, count } = z
  .object({ startMs: z.number(), gapMs: z.number(), count: z.int() })
  .parse(workerData)

const never = new Int32Array(new SharedArrayBuffer(4))

for (let next = 0; next < count;) {
  const waitMs = startMs + next * gapMs - clockMs()
  if (waitMs > 0) Atomics.wait(never, 0, 0, waitMs)
  // Everything that is due goes with one message.
  next = Math.max(next, Math.floor((clockMs() - startMs) / gapMs)) + 1
  parentPort?.postMessage(next)
}
