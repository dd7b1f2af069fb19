import type { Answer } from './caller.ts'

/** One request of a load, and when its answer was here: epoch milliseconds. */
export type Timed = { readonly answer: Answer; readonly atMs: number; readonly tookMs: number }

const concurrent = 16

/** Asks with some requests in flight at any time, until `enough` says so. */
export async function load(
  sign: () => Promise<Answer>,
  now: () => number,
  enough: (asked: readonly Timed[]) => boolean,
): Promise<readonly Timed[]> {
  const asked: Timed[] = []
  const worker = async () => {
    while (!enough(asked)) {
      const startedMs = now()
      const answer = await sign()
      const atMs = now()
      asked.push({ answer, atMs, tookMs: atMs - startedMs })
    }
  }
  await Promise.all(Array.from({ length: concurrent }, worker))
  return asked
}
