import { describe, expect, test } from 'vitest'
import type { Key } from '../../src/keys/key.ts'
import { ClockWatch } from '../../src/lib/clock-watch.ts'
import type { Done } from '../../src/rotation/job.ts'
import { planKey } from '../../src/rotation/tick.ts'
import { changeState, listVersionsOf } from '../../src/store/versions.ts'
import { appRegistry } from '../support/app-registry.ts'
import { faultyRegistry } from '../support/faulty-registry.ts'
import { keyOf, profileSettings } from '../support/grant.ts'
import { keyMaker } from '../support/key-maker.ts'
import { askedFor, rotationDeps, runJob } from '../support/rotation-job.ts'
import { httpDate } from '../support/shown-date.ts'
import { patience } from '../support/signing-service.ts'
import { storeFile, storeOfThisTest } from '../support/store-file.ts'

/** What a job begins, and what not, when its registry says that the clock is wrong. */

const blog: Key = keyOf('blog', {
  profile: profileSettings['generic-jwt'],
  registry: { kind: 'app', registry: 'apps', app: 'blog' },
})

/** A registry whose clock goes right while ours is so far ahead. */
async function jobWith(aheadMs: number) {
  const store = await storeOfThisTest(await storeFile())
  const maker = keyMaker()
  const down: { method?: string } = {}
  const server = await faultyRegistry(({ method }) =>
    method === down.method ? { status: 503 } : undefined,
  )
  const plain = rotationDeps(store, maker)
  const clocks = new ClockWatch(plain.clock)
  const registry = appRegistry(server.url, undefined, { timing: clocks.timingOf('registry apps') })
  const deps = { ...plain, clocks, registryOf: () => registry }
  const { clock } = deps
  const steps = { aheadMs: 0 }
  const step = (ms: number) => {
    steps.aheadMs += ms
    clock.step(ms)
  }
  server.date.text = () => httpDate(clock.now() - steps.aheadMs)
  step(aheadMs)
  const states = async () =>
    (await listVersionsOf(store.connection, 'blog')).map(({ n, state }) => `${n} ${state}`)
  const run = (asked = askedFor()) => runJob({ ...deps, asked }, blog)
  return { store, maker, server, down, deps, clocks, states, run, step }
}

const hourMs = 3_600_000
const wrong = { code: 'clock_wrong' }
const now = askedFor({ isNamed: true, now: 'with overlap' })
const names = (done: readonly Done[]) => done.map(({ step }) => step)

test.each([hourMs, -hourMs, 125_000, -125_000])(
  'with a clock %i ms ahead no key is made, and no registry told',
  async (aheadMs) => {
    const { run, maker, server, states, deps } = await jobWith(aheadMs)
    await expect(planKey(deps, blog, patience)).rejects.toMatchObject(wrong)
    await expect(run()).rejects.toMatchObject(wrong)
    expect([maker.made, server.kids, await states()]).toEqual([[], [], []])
  },
)

test.each([
  [20_000, 'fine'],
  [-45_000, 'warn'],
  [45_000, 'warn'],
] as const)('with one %i ms ahead the job goes on: %s', async (aheadMs, verdict) => {
  const { run, clocks } = await jobWith(aheadMs)
  expect(names(await run())).toEqual(['generated', 'published', 'activated'])
  expect(clocks.readings).toMatchObject([{ source: 'registry apps', verdict }])
})

test.each([undefined, '', 'rubbish', 'Invalid Date'])(
  'what a registry without a good Date does not say refuses nothing: %s',
  async (date) => {
    const { run, server, clocks } = await jobWith(hourMs)
    server.date.text = () => date
    expect(names(await run())).toEqual(['generated', 'published', 'activated'])
    expect(clocks.readings).toEqual([])
  },
)

describe('a key that signs', () => {
  test('is not rotated after a step of −1 h between two runs, and is when the clock is set', async () => {
    const { run, states, step } = await jobWith(0)
    await run()
    step(-hourMs)
    await expect(run(now)).rejects.toMatchObject(wrong)
    expect(await states()).toEqual(['1 active'])
    step(hourMs)
    expect(names(await run(now))).toContain('activated')
    expect(await states()).toEqual(['1 retiring', '2 active'])
  })

  test('keeps the old version listed with a clock that is ahead of the end of its overlap', async () => {
    const { run, states, step, server, deps } = await jobWith(0)
    await run()
    await run(now)
    const overlapMs = deps.policyOf(blog).overlapMs + 1_000
    step(overlapMs)
    await expect(run()).rejects.toMatchObject(wrong)
    expect([await states(), server.kids.length]).toEqual([['1 retiring', '2 active'], 2])
    step(-overlapMs)
    deps.clock.advance(overlapMs)
    expect(names(await run())).toContain('retired')
  })
})

test('a revoked version is disabled and withdrawn whatever the time is', async () => {
  const { run, step, store, server, deps, clocks } = await jobWith(0)
  await run()
  await store.writeTransaction(async ({ connection }) => {
    const [version] = await listVersionsOf(connection, 'blog')
    if (version) await changeState(connection, version, 'revoked', deps.clock.now())
  })
  step(hourMs)
  await deps.registryOf().list?.(patience) // so that it is known before the run
  expect(() => clocks.assertRight(['registry apps'])).toThrow(expect.objectContaining(wrong))
  expect(names(await run())).toEqual(['disabled', 'withdrawn'])
  expect(server.kids).toEqual([])
})

test('what an emergency has cut off is withdrawn whatever the time is', async () => {
  const { run, step, states, down } = await jobWith(0)
  await run()
  down.method = 'DELETE'
  const cut = askedFor({ isNamed: true, now: 'without overlap' })
  await expect(run(cut)).rejects.toMatchObject({ code: 'registry_unavailable' })
  delete down.method
  step(hourMs)
  expect(names(await run())).toContain('retired')
  expect(await states()).toContain('1 retired')
})

/** A vault whose clock is an hour behind ours, heard of when it opens what it has made. */
async function vaultBehind() {
  const { store, maker, deps } = await jobWith(0)
  const documents = keyOf('documents', { purpose: 'bytes', profile: undefined })
  const vaultClock = { behindMs: hourMs }
  /** Each a process of its own, which nobody has told the time yet. */
  const run = () => {
    const clocks = new ClockWatch(deps.clock)
    const vaultOf = () => ({
      open: async (...asked: Parameters<typeof maker.vault.open>) => {
        const answered = clocks.timingOf(`vault ${documents.vault}`)()
        answered(new Headers({ Date: httpDate(deps.clock.now() - vaultClock.behindMs) }))
        return maker.vault.open(...asked)
      },
    })
    return runJob({ ...deps, clocks, registryOf: () => undefined, vaultOf }, documents)
  }
  return { store, maker, run, vaultClock }
}

test('a key that was made before its vault said the time is no version by a wrong clock, and then the same key is', async () => {
  const { store, maker, run, vaultClock } = await vaultBehind()
  for (const _ of ['makes it', 'finds it']) {
    await expect(run()).rejects.toMatchObject(wrong)
  }
  expect(await listVersionsOf(store.connection, 'documents')).toEqual([])
  vaultClock.behindMs = 0
  expect(names(await run())).toEqual(['generated', 'activated'])
  expect(maker.made).toHaveLength(1)
})
