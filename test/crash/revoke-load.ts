import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { systemClock } from '../../src/lib/clock.ts'
import type { Home } from '../support/home.ts'
import type { Serving } from '../support/serving.ts'

/** What was seen of one whole `revoke` command while its key was in use. */
export type RevokedUnderLoad = {
  /** Received, by the key that was then revoked. */
  readonly signatures: number
  /** Of these, received after the instant that the command printed. */
  readonly late: number
  /** Registry or vault had not done their part: their time was up. */
  readonly isPartial: boolean
  /** From typing the command until it had ended. */
  readonly tookMs: number
}

const printed = z.object({ nothingAfter: z.iso.datetime() })

/**
 * Each key is asked for signatures before its revocation begins, all the while, and for a while after the
 * instant that it prints. A refusal costs no vault and no disk: without a pause after each answer the
 * processors would do little but refuse.
 */
const loopsPerKey = 2
const pauseMs = 20
const beforeMs = 1_000
const afterwardsMs = 500

/**
 * Revokes keys at a steady rate, whether or not the commands before have ended, each asked for signatures
 * all the while, of one process after the other. What counts is when the caller has a signature, later
 * than when it left.
 *
 * @param everyMs from the beginning of a command to that of the next.
 * @param program with which it is revoked.
 */
export async function revokeUnderLoad(
  home: Home,
  servings: readonly Serving[],
  keys: readonly string[],
  everyMs: number,
  program: string,
): Promise<readonly RevokedUnderLoad[]> {
  return Promise.all(
    keys.map(async (key, i) => {
      await sleep(i * everyMs)
      return revokeOne(home, servings, key, program)
    }),
  )
}

async function revokeOne(
  home: Home,
  servings: readonly Serving[],
  key: string,
  program: string,
): Promise<RevokedUnderLoad> {
  const receivedAt: number[] = []
  await using _ = loading(servings, key, receivedAt)
  await sleep(beforeMs)
  while (receivedAt.length === 0) await sleep(pauseMs)
  const startedMs = systemClock.now()
  const args = ['revoke', `${key}@1`, '--reason', 'a test']
  const { exitCode, document, stderr } = await home.json(args, { program })
  const tookMs = systemClock.now() - startedMs
  // What the vault did not do in time is left to the job; the revocation is in force all the same.
  if (exitCode !== 0 && exitCode !== 4) {
    throw new Error(`revoke ends with ${exitCode}: ${stderr}`)
  }
  await sleep(afterwardsMs)
  const nothingAfterMs = Date.parse(printed.parse(document).nothingAfter)
  const late = receivedAt.filter((atMs) => atMs > nothingAfterMs).length
  return { signatures: receivedAt.length, late, isPartial: exitCode === 4, tookMs }
}

/** Asks until it is disposed of, and notes when each signature is there. */
function loading(servings: readonly Serving[], key: string, receivedAt: number[]): AsyncDisposable {
  const state = { isOver: false }
  const loop = async (offset: number) => {
    for (let i = offset; !state.isOver; i += 1) {
      const serving = servings[i % servings.length]
      const answer = await serving?.ask(key, { claims: { sub: 'a' } })
      if (answer?.status === 200) receivedAt.push(systemClock.now())
      await sleep(pauseMs)
    }
  }
  const loops = Promise.all(Array.from({ length: loopsPerKey }, (_, i) => loop(i)))
  return {
    async [Symbol.asyncDispose]() {
      state.isOver = true
      await loops
    },
  }
}
