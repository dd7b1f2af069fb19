import { KeyObject, sign } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'

/** The entry of one thread that does nothing but sign. */
const { key, hash, messageBytes, warmUpMs, measureMs } = z
  .object({
    key: z.custom<KeyObject>((value) => value instanceof KeyObject),
    hash: z.string().nullable(),
    messageBytes: z.int(),
    warmUpMs: z.number(),
    measureMs: z.number(),
  })
  .parse(workerData)

const message = Buffer.alloc(messageBytes, 'chancery')

signFor(warmUpMs)
parentPort?.postMessage(signFor(measureMs))

/** @returns signatures per second. */
function signFor(ms: number): number {
  const startedMs = performance.now()
  let count = 0
  let nowMs = startedMs
  for (; nowMs - startedMs < ms; nowMs = performance.now()) {
    sign(hash, message, key)
    count += 1
  }
  return (count / (nowMs - startedMs)) * 1_000
}
