import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { conditionMetrics } from '../../src/ops/condition-metrics.ts'
import type { Condition } from '../../src/service/condition.ts'

const day = 86_400
const now = 100 * day * 1_000

const condition: Condition = {
  keys: [
    {
      key: 'blog',
      signsSinceAt: 10 * day * 1_000,
      dueAt: 99 * day * 1_000,
      standby: 1,
      unproved: 2,
      stillListed: 1,
      cutOff: 1,
      orphans: 2,
    },
    {
      key: 'docs',
      signsSinceAt: undefined,
      dueAt: undefined,
      standby: 0,
      unproved: 0,
      stillListed: 0,
      cutOff: undefined,
      orphans: 0,
    },
  ],
  open: [{ step: 'disable', count: 2, oldestAt: now - 60_000 }],
  processes: 3,
}

function measured(read: () => Promise<Condition>) {
  const registry = new Registry()
  conditionMetrics(registry, { read, now: () => now, steps: ['generate', 'disable'] })
  return async () =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith('chancery_'))
}

test('every key shows its age, when it is due, what waits and what is left to do', async () => {
  const series = measured(async () => condition)
  expect(await series()).toEqual([
    `chancery_signing_version_age_seconds{key="blog"} ${90 * day}`,
    `chancery_rotation_due_timestamp_seconds{key="blog"} ${99 * day}`,
    'chancery_standby_versions{key="blog"} 1',
    'chancery_standby_versions{key="docs"} 0',
    'chancery_unproved_versions{key="blog"} 2',
    'chancery_unproved_versions{key="docs"} 0',
    'chancery_ended_versions_listed{key="blog"} 1',
    'chancery_ended_versions_listed{key="docs"} 0',
    'chancery_cut_off_versions{key="blog"} 1',
    'chancery_orphans{key="blog"} 2',
    'chancery_orphans{key="docs"} 0',
    'chancery_open_steps{step="generate"} 0',
    'chancery_open_steps{step="disable"} 2',
    'chancery_open_step_age_seconds{step="generate"} 0',
    'chancery_open_step_age_seconds{step="disable"} 60',
    'chancery_live_processes 3',
  ])
})

test('a scrape reads once, and each scrape anew', async () => {
  const state = { readings: 0, now: condition }
  const series = measured(async () => {
    state.readings += 1
    return state.now
  })
  await series()
  expect(state.readings).toBe(1)
  state.now = { ...condition, keys: [], open: [], processes: 0 }
  expect(await series()).toEqual([
    'chancery_open_steps{step="generate"} 0',
    'chancery_open_steps{step="disable"} 0',
    'chancery_open_step_age_seconds{step="generate"} 0',
    'chancery_open_step_age_seconds{step="disable"} 0',
    'chancery_live_processes 0',
  ])
  expect(state.readings).toBe(2)
})

test('what cannot be read shows nothing old, and fails no scrape', async () => {
  const state = { isDown: false }
  const series = measured(async () => {
    if (state.isDown) throw new Error('The disk is full')
    return condition
  })
  expect(await series()).toHaveLength(16)
  state.isDown = true
  expect(await series()).toEqual([])
})
