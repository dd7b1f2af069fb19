import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { failingCommit, heldCommit, queueOn, rememberingCommit } from '../support/audit-commits.ts'
import { intent, outcome, stored } from '../support/audit-records.ts'
import { manualClock } from '../support/manual-clock.ts'

const { signal } = new AbortController()

describe('group commit', () => {
  test('what one turn of the event loop brings is one batch', async () => {
    const store = rememberingCommit()
    const { queue } = queueOn(store.commit)
    await Promise.all(['A', 'B', 'C'].map((request) => queue.commitIntent(intent(request), signal)))
    expect(store.batches.map(({ intents }) => intents.length)).toEqual([3])
  })

  test('whatever arrives while a batch is written joins the next one, all of it', async () => {
    const store = rememberingCommit()
    const held = heldCommit(store.commit)
    const { queue } = queueOn(held.commit)
    const first = queue.commitIntent(intent('A'), signal)
    await turn()
    const rest = ['B', 'C', 'D'].map((request) => queue.commitIntent(intent(request), signal))
    const check = queue.stillMaySign(intent('A'), signal)
    queue.noteOutcome(outcome('Z'))
    await turn()
    expect([store.batches.length, held.held()]).toEqual([0, 1])
    held.letThrough()
    await first
    await turn()
    held.letThrough()
    await Promise.all([...rest, check])
    expect(
      store.batches.map(({ intents, checks, notes }) =>
        [intents, checks, notes].map((all) => all.length),
      ),
    ).toEqual([
      [1, 0, 0],
      [3, 1, 1],
    ])
  })

  test('never two batches are written at once', async () => {
    const held = heldCommit(rememberingCommit().commit)
    const { queue } = queueOn(held.commit)
    const all = [queue.commitIntent(intent('A'), signal)]
    for (const request of ['B', 'C', 'D']) {
      await turn()
      all.push(queue.commitIntent(intent(request), signal))
      expect(held.held()).toBe(1)
    }
    for (let i = 0; i < 4; i += 1) {
      held.letThrough()
      await turn()
    }
    await expect(Promise.all(all)).resolves.toHaveLength(4)
  })

  test.each(Array.from({ length: 24 }, (_, i) => i))(
    'an intent that comes %i microtasks after the last one ended is not forgotten',
    async (microtasks) => {
      const store = rememberingCommit()
      const { queue } = queueOn(store.commit)
      await queue.commitIntent(intent('A'), signal)
      for (let i = 0; i < microtasks; i += 1) await Promise.resolve()
      void queue.commitIntent(intent('B'), signal)
      await turn()
      expect(stored(store.bodies)).toEqual(['intent A', 'intent B'])
    },
  )

  test('a body is stored as the exact JSON of its record', async () => {
    const store = rememberingCommit()
    const { queue } = queueOn(store.commit)
    const record = intent('A', { jti: 'x"y', exp: 1 })
    await queue.commitIntent(record, signal)
    queue.noteOutcome(outcome('A'))
    await queue.flush()
    expect(store.bodies).toEqual([JSON.stringify(record), JSON.stringify(outcome('A'))])
  })
})

test('a request that has gone away leaves no intent, and the others do', async () => {
  const store = rememberingCommit()
  const held = heldCommit(store.commit)
  const { queue } = queueOn(held.commit)
  const caller = new AbortController()
  const reason = new Error('the caller has gone')
  const first = queue.commitIntent(intent('A'), signal)
  await turn()
  const gone = Promise.allSettled([
    queue.commitIntent(intent('B'), caller.signal),
    queue.stillMaySign(intent('B'), caller.signal),
  ])
  const stays = queue.commitIntent(intent('C'), signal)
  caller.abort(reason)
  for (let i = 0; i < 2; i += 1) {
    held.letThrough()
    await turn()
  }
  await expect(gone).resolves.toEqual([
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ])
  await Promise.all([first, stays])
  expect(stored(store.bodies)).toEqual(['intent A', 'intent C'])
  expect(store.batches.flatMap(({ checks }) => checks)).toEqual([])
})

/** Outcomes that stand before their intents. */
function earlyOutcomes(names: readonly string[]) {
  const begun = new Set<string>()
  const early = names.filter((name) => {
    const [type, request = ''] = name.split(' ')
    if (type === 'intent') begun.add(request)
    return type === 'outcome' && !begun.has(request)
  })
  return { records: names.length, early }
}

describe('order', () => {
  test('an outcome stands behind the intent that it waited for, however many wait', async () => {
    const store = rememberingCommit()
    const { queue } = queueOn(store.commit)
    const requests = Array.from({ length: 3_000 }, (_, i) => `${i}`)
    const sign = async (request: string) => {
      await queue.commitIntent(intent(request), signal)
      queue.noteOutcome(outcome(request))
    }
    await Promise.all(requests.map(sign))
    await queue.flush()
    expect(earlyOutcomes(stored(store.bodies))).toEqual({ records: 6_000, early: [] })
  })

  test('an outcome stands behind an intent of its own batch', async () => {
    const store = rememberingCommit()
    const { queue } = queueOn(store.commit)
    queue.noteOutcome(outcome('A'))
    await queue.commitIntent(intent('A'), signal)
    expect(stored(store.bodies)).toEqual(['intent A', 'outcome A'])
  })

  test('records of a kind keep the order in which they came', async () => {
    const store = rememberingCommit()
    const { queue } = queueOn(store.commit)
    for (const request of ['A', 'B', 'C']) queue.noteOutcome(outcome(request))
    await queue.flush()
    expect(stored(store.bodies)).toEqual(['outcome A', 'outcome B', 'outcome C'])
  })
})

describe('an outcome alone', () => {
  const lingering = () => {
    const store = rememberingCommit()
    const over = Promise.withResolvers<void>()
    const { queue } = queueOn(store.commit, manualClock(), () => over.promise)
    return { store, queue, over }
  }

  test('waits a moment, and goes with the intent that comes', async () => {
    const { store, queue, over } = lingering()
    queue.noteOutcome(outcome('A'))
    await turn()
    expect(store.batches).toEqual([])
    await queue.commitIntent(intent('B'), signal)
    over.resolve()
    await turn()
    expect(store.batches.length).toBe(1)
    expect(stored(store.bodies)).toEqual(['intent B', 'outcome A'])
  })

  test('goes by itself when the moment is over', async () => {
    const { store, queue, over } = lingering()
    queue.noteOutcome(outcome('A'))
    queue.noteOutcome(outcome('B'))
    over.resolve()
    await turn()
    expect(store.batches.map(({ notes }) => notes.length)).toEqual([2])
  })

  test('that comes while a batch is written is not forgotten', async () => {
    const store = rememberingCommit()
    const held = heldCommit(store.commit)
    const { queue } = queueOn(held.commit)
    const first = queue.commitIntent(intent('A'), signal)
    await turn()
    queue.noteOutcome(outcome('B'))
    for (let i = 0; i < 2; i += 1) {
      held.letThrough()
      await turn()
    }
    await first
    expect(stored(store.bodies)).toEqual(['intent A', 'outcome B'])
  })

  test('does not wait when everything is flushed', async () => {
    const { store, queue } = lingering()
    queue.noteOutcome(outcome('A'))
    await queue.flush()
    expect(stored(store.bodies)).toEqual(['outcome A'])
  })

  test('that came during a write is stored when a flush is over', async () => {
    const store = rememberingCommit()
    const held = heldCommit(store.commit)
    const never = new Promise<void>(() => {})
    const { queue } = queueOn(held.commit, manualClock(), () => never)
    const first = queue.commitIntent(intent('A'), signal)
    await turn()
    queue.noteOutcome(outcome('B'))
    const flushed = queue.flush()
    for (let i = 0; i < 2; i += 1) {
      held.letThrough()
      await turn()
    }
    await Promise.all([first, flushed])
    expect(stored(store.bodies)).toEqual(['intent A', 'outcome B'])
  })
})

describe('the queue is bounded', () => {
  const waitingMax = 8_192

  test('an intent or check beyond it is refused at once as overloaded', async () => {
    const store = rememberingCommit()
    const held = heldCommit(store.commit)
    const { queue } = queueOn(held.commit)
    const first = queue.commitIntent(intent('first'), signal)
    await turn()
    const waiting = Array.from({ length: waitingMax }, (_, i) => [
      queue.commitIntent(intent(`${i}`), signal),
      queue.stillMaySign(intent(`${i}`), signal),
    ]).flat()
    const overloaded = { code: 'overloaded', details: { retryAfterMs: 1_000 } }
    await expect(queue.commitIntent(intent('x'), signal)).rejects.toMatchObject(overloaded)
    await expect(queue.stillMaySign(intent('x'), signal)).rejects.toMatchObject(overloaded)
    while (held.held() > 0) {
      held.letThrough()
      await turn()
    }
    await Promise.all([first, ...waiting])
    expect(stored(store.bodies)).not.toContain('intent x')
    expect(Math.max(...store.batches.map(({ intents }) => intents.length))).toBe(256)
  })

  test('notes beyond it are dropped, also those that come while a write fails', async () => {
    const store = rememberingCommit()
    const failing = failingCommit(store.commit, new Error('disk full'))
    const held = heldCommit(failing.commit)
    const { queue } = queueOn(held.commit)
    const noteMany = (name: string) => {
      for (let i = 0; i <= waitingMax; i += 1) queue.noteOutcome(outcome(`${name}${i}`))
    }
    noteMany('A')
    await turn()
    noteMany('B')
    held.letThrough()
    await turn()
    failing.mend()
    const flushed = queue.flush()
    await turn()
    held.letThrough()
    await flushed
    expect(stored(store.bodies)).toEqual(
      Array.from({ length: waitingMax }, (_, i) => `outcome A${i}`),
    )
  })
})

test('a flush with nothing to write does nothing', async () => {
  const store = rememberingCommit()
  await queueOn(store.commit).queue.flush()
  expect(store.batches).toEqual([])
})
