import { setImmediate as turn } from 'node:timers/promises'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { Key } from '../../src/keys/key.ts'
import { guardedVault } from '../../src/signing/guarded-vault.ts'
import { algorithm, type AlgorithmName } from '../../src/signing/algorithms.ts'
import type { OpenedSigner } from '../../src/signing/signer.ts'
import { type FakeTime, fakeTime } from '../support/fake-time.ts'
import { grantOn, keyOf } from '../support/grant.ts'
import { rememberingObserver } from '../support/guarded.ts'
import { memoryKey } from '../support/memory-key.ts'
import { type Answer, signListener, signPath } from '../support/sign-listener.ts'
import { heldVersion, patience } from '../support/signing-service.ts'
import { tallied } from '../support/tally.ts'

/** What came of one request over HTTP, exactly. */
export type Came = {
  readonly status: number
  /** Of a problem. */
  readonly code?: string
  readonly retryAfter?: string
  /** Signing requests that the vault saw. */
  readonly tries: number
}

/** An algorithm, what the key and the vault are like, and what comes of it. */
export type FaultRow<World> = {
  readonly algorithm: AlgorithmName
  readonly what: string
  readonly arrange: (world: World) => void
  readonly came: Came
}

/** Where the row's key lies, and how the vault is made to err. */
export type FaultWorld = {
  readonly signer: OpenedSigner
  /** Undoes what rows do to keys. */
  readonly mend: () => void
  /** Signing requests so far. */
  readonly tries: () => number
  /** What no answer may show. */
  readonly internals: readonly string[]
}

export interface FaultHarness<World extends FaultWorld> {
  readonly provider: string
  readonly rows: readonly FaultRow<World>[]
  /** A version of `memoryKey`'s first key, opened. */
  readonly world: (name: AlgorithmName) => Promise<World>
}

/** Of each signature, in the time that the test lets pass. */
const deadlineMs = 300

/** What every fault of a vault comes to over HTTP, when the vault's guard stands before it as in `serve`. */
export function describeFaults<World extends FaultWorld>(harness: FaultHarness<World>): void {
  describe(`${harness.provider}, over HTTP`, () => {
    tallied(`${harness.provider}: faults over HTTP, by algorithm, state and fault`)

    // Those who try again wait for a random time, which is none here: no time passes but by the test.
    beforeAll(() => {
      const random = vi.spyOn(Math, 'random').mockReturnValue(0)
      return () => random.mockRestore()
    })

    test.each(harness.rows)('$algorithm: $what', async ({ algorithm: name, arrange, came }) => {
      const world = await harness.world(name)
      const time = fakeTime()
      const sign = await listener(world, name, time)
      const before = world.tries()
      arrange(world)
      const asked = sign()
      const answer = await (came.status === 504
        ? late(asked, time, () => world.tries() - before === came.tries)
        : settled(asked))
      expect({ ...shown(answer), tries: world.tries() - before }).toEqual(came)
      expectNothingOf(world.internals, answer)
      // The log has the cause of what the vault said; that it was late, the request's line tells.
      expect(sign.failures()).toBe(came.status === 200 || came.status === 504 ? 0 : 1)
      expect(sign.released()).toBe(came.status === 200 ? 1 : 0)
      world.mend()
      expect((await settled(sign())).status).toBe(200)
    })
  })
}

async function listener({ signer }: FaultWorld, name: AlgorithmName, clock: FakeTime) {
  const { vault } = guardedVault(
    { open: async () => signer },
    { deadlineMs, quotaPerSecond: undefined, concurrency: 64 },
    { vault: 'cloud', clock, observer: rememberingObserver() },
  )
  const guarded = await vault.open({ resource: 'one', algorithm: name }, patience)
  const key: Key = keyOf('documents', { algorithm: algorithm(name) })
  const held = [heldVersion(key, { memory: memoryKey(name), signer: guarded })]
  const grants = [grantOn(key, { operations: ['sign-message'] })]
  const { ask, lines, audit } = await signListener({ held, grants })
  const body = { message: Buffer.from('a message').toString('base64') }
  return Object.assign(() => ask(signPath('documents'), { body }), {
    failures: () => lines.filter((line) => line.includes('request failed')).length,
    released: () => audit.outcomes.filter(({ result }) => result === 'released').length,
  })
}

/** The answer, while no time passes: whatever waits for a time to pass waits for ever. */
async function settled(asked: Promise<Answer>): Promise<Answer> {
  const { isSettled } = watched(asked)
  while (!isSettled()) {
    await turn()
    vi.advanceTimersByTime(0)
  }
  return asked
}

/** The answer at the deadline, and neither before it nor after it. */
async function late(asked: Promise<Answer>, time: FakeTime, isHeld: () => boolean) {
  const { isSettled } = watched(asked)
  while (!isHeld()) {
    await turn()
    vi.advanceTimersByTime(0)
  }
  await time.pass(deadlineMs - 1)
  await turn()
  expect(isSettled()).toBe(false)
  await time.pass(1)
  for (let turns = 0; turns < turnsMax && !isSettled(); turns += 1) await turn()
  expect(isSettled()).toBe(true)
  return asked
}

function watched(asked: Promise<unknown>) {
  let hasSettled = false
  const note = () => (hasSettled = true)
  asked.then(note, note)
  return { isSettled: () => hasSettled }
}

/** Whatever ends at its deadline waits for nobody: a few turns of this process are all that it takes. */
const turnsMax = 1_000

function shown({ status, headers, body }: Answer): Omit<Came, 'tries'> {
  const code = body['code']
  const retryAfter = headers.get('retry-after')
  return {
    status,
    ...(typeof code === 'string' ? { code } : {}),
    ...(retryAfter === null ? {} : { retryAfter }),
  }
}

/** Neither a signature where there is a code, nor anything of the vault's own. */
function expectNothingOf(internals: readonly string[], { status, text, headers, body }: Answer) {
  if (status === 200) return
  // Ours, and of letters that chance may make anything of.
  const { requestId } = body
  const all = `${text}\n${JSON.stringify([...headers])}`.replaceAll(String(requestId), '')
  expect(internals.filter((internal) => all.includes(internal))).toEqual([])
  expect(body).not.toHaveProperty('signature')
}
