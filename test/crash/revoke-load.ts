import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { systemClock } from '../../src/lib/clock.ts'
import type { Home } from '../support/home.ts'
import type { Serving } from '../support/serving.ts'

/** What was seen of whole `revoke` commands while the keys were in use. */
export type RevokedUnderLoad = {
  readonly revoked: number
  /** Signatures that were received, by keys that were then revoked. */
  readonly signatures: number
  /** Of these, received after the instant that the command printed. */
  readonly late: number
  /** From typing each command until it had ended, in the order of their length. */
  readonly tookMs: readonly number[]
}

const printed = z.object({ nothingAfter: z.iso.datetime() })

/** Answered while a revocation begins, and for a while after its instant. */
const loopsPerKey = 2
const afterwardsMs = 500

/**
 * Revokes one key after the other, some at once, each asked for signatures all the while, of one process
 * after the other. What counts is when the caller has a signature, later than when it left.
 *
 * @param program with which it is revoked.
 */
export async function revokeUnderLoad(
  home: Home,
  servings: readonly Serving[],
  keys: readonly string[],
  parallel: number,
  program: string,
): Promise<RevokedUnderLoad> {
  const waiting = [...keys]
  const seen: { signatures: number; late: number; tookMs: number }[] = []
  const worker = async () => {
    for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) {
      seen.push(await revokeOne(home, servings, key, program))
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  return {
    revoked: seen.length,
    signatures: sum(seen.map(({ signatures }) => signatures)),
    late: sum(seen.map(({ late }) => late)),
    tookMs: seen.map(({ tookMs }) => tookMs).toSorted((one, other) => one - other),
  }
}

async function revokeOne(home: Home, servings: readonly Serving[], key: string, program: string) {
  const state = { isOver: false }
  const receivedAt: number[] = []
  const loop = async (offset: number) => {
    for (let i = offset; !state.isOver; i += 1) {
      const serving = servings[i % servings.length]
      const answer = await serving?.ask(key, { claims: { sub: 'a' } })
      if (answer?.status === 200) receivedAt.push(systemClock.now())
    }
  }
  const loading = Promise.all(Array.from({ length: loopsPerKey }, (_, i) => loop(i)))
  while (receivedAt.length === 0) await sleep(10)
  const startedMs = systemClock.now()
  const args = ['revoke', `${key}@1`, '--reason', 'a test']
  const { exitCode, document, stderr } = await home.json(args, { program })
  const tookMs = systemClock.now() - startedMs
  // What the vault did not do in time is left to the job; the revocation is in force all the same.
  if (exitCode !== 0 && exitCode !== 4) {
    throw new Error(`revoke ends with ${exitCode}: ${stderr}`)
  }
  await sleep(afterwardsMs)
  state.isOver = true
  await loading
  const nothingAfterMs = Date.parse(printed.parse(document).nothingAfter)
  const late = receivedAt.filter((atMs) => atMs > nothingAfterMs).length
  return { signatures: receivedAt.length, late, tookMs }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
