import { Gauge, type Registry } from 'prom-client'
import type { Condition, KeyCondition } from '../service/condition.ts'

/** What a key has of something now; undefined where there is nothing to show. */
type OfKey = (key: KeyCondition, now: number) => number | undefined

const perKey: Readonly<Record<string, readonly [help: string, value: OfKey]>> = {
  chancery_signing_version_age_seconds: [
    'How long the version that signs has done so, by key',
    ({ signsSinceAt }, now) => signsSinceAt && seconds(now - signsSinceAt),
  ],
  chancery_rotation_due_timestamp_seconds: [
    'When the next version is due to sign, by key',
    ({ dueAt }) => dueAt && seconds(dueAt),
  ],
  chancery_standby_versions: [
    'Published versions that wait to be the next one, by key',
    ({ standby }) => standby,
  ],
  chancery_unproved_versions: [
    'Waiting versions times live processes that have not proved them, by key',
    ({ unproved }) => unproved,
  ],
  chancery_ended_versions_listed: [
    'Versions that have ended and are not yet withdrawn, by key',
    ({ stillListed }) => stillListed,
  ],
  chancery_cut_off_versions: [
    'Versions that sign, and that their catalogue does not let, by key',
    ({ cutOff }) => cutOff,
  ],
  chancery_orphans: [
    'Keys that interrupted runs have left in a vault, by key',
    ({ orphans }) => orphans,
  ],
}

export type ConditionSources = {
  readonly read: () => Promise<Condition>
  readonly now: () => number
  /** Every step that the journal knows: each is shown, also when none is open. */
  readonly steps: readonly string[]
}

/** How keys are: read at each scrape. While that cannot be read these series are absent. */
export function conditionMetrics(registry: Registry, sources: ConditionSources): void {
  const { now, steps } = sources
  const read = sharedReading(sources.read)
  const gauge = (
    name: string,
    help: string,
    labelNames: readonly string[],
    show: (made: Gauge, condition: Condition) => void,
  ) => {
    const made: Gauge = new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      async collect() {
        made.reset()
        const condition = await read()
        if (condition) show(made, condition)
        else if (labelNames.length === 0) made.remove() // a reset one would say 0
      },
    })
  }
  for (const [name, [help, value]] of Object.entries(perKey)) {
    gauge(name, help, ['key'], (made, { keys }) => {
      for (const one of keys) {
        const shown = value(one, now())
        if (shown !== undefined) made.set({ key: one.key }, shown)
      }
    })
  }
  const stepsOf = (value: (entry: Condition['open'][number]) => number) => {
    return (made: Gauge, { open }: Condition) => {
      for (const step of steps) {
        const entry = open.find((one) => one.step === step)
        made.set({ step }, entry ? value(entry) : 0)
      }
    }
  }
  gauge(
    'chancery_open_steps',
    'Journal entries whose end is not known, by step',
    ['step'],
    stepsOf(({ count }) => count),
  )
  gauge(
    'chancery_open_step_age_seconds',
    'Age of the oldest of these, by step',
    ['step'],
    stepsOf(({ oldestAt }) => seconds(now() - oldestAt)),
  )
  gauge('chancery_live_processes', 'Processes that serve on this store', [], (made, condition) =>
    made.set(condition.processes),
  )
}

/** All metrics of one scrape are asked at once, and share what was read. */
function sharedReading(read: () => Promise<Condition>): () => Promise<Condition | undefined> {
  let reading: Promise<Condition | undefined> | undefined
  return () => {
    reading ??= read()
      .catch(() => undefined) // the audit's own failure says why
      .finally(() => (reading = undefined))
    return reading
  }
}

function seconds(ms: number): number {
  return ms / 1_000
}
