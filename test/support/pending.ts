import { setImmediate as turn } from 'node:timers/promises'

/** Everything that can happen without new input has then happened. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await turn()
}

/** Whether a promise still waits for something that the test has not given yet. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const waits = Symbol('waits')
  await settle()
  const first = await Promise.race([promise.catch(() => undefined), Promise.resolve(waits)])
  return first === waits
}
