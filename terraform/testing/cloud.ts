import { z } from 'zod'
import { parseJson } from '../../src/lib/json.ts'
import type { BlockSchema, ProviderSchema } from './schema.ts'
import { readValues, Unknown, type Values, writeValues } from './values.ts'

/** What stands behind a provider in a test that applies: it makes what is asked, and looks at it again. */
export interface Cloud {
  /** What only the cloud knows of a new resource, by the names of its attributes. */
  create(type: string, planned: Values): Values
  /** Takes over what a later plan changes. */
  change(type: string, planned: Values): void
  /** The resource as it is now. */
  refresh(type: string, state: Values): Values
  /** What a data source answers, beside what it was asked with. */
  read(type: string, asked: Values): Values
}

const bytes = z.instanceof(Uint8Array)
const value = z.object({ msgpack: bytes })
const asked = z.object({ config: value })
const stored = z.object({ raw_state: z.object({ json: bytes }) })
const current = z.object({ type_name: z.string(), current_state: value })
const question = z.object({ type_name: z.string(), config: value })
const proposal = z.object({ type_name: z.string(), prior_state: value, proposed_new_state: value })
const change = z.object({ type_name: z.string(), prior_state: value, planned_state: value })

/** Without a cloud these are not reached: Terraform's `mock_provider` answers in their place. */
export function cloudHandlers({ resources }: ProviderSchema, cloud: Cloud = noCloud) {
  const schemaOf = (type: string): BlockSchema => found(resources[type], type)
  return {
    PrepareProviderConfig: (request: unknown) => ({ prepared_config: asked.parse(request).config }),
    ValidateResourceTypeConfig: () => ({}),
    ValidateDataSourceConfig: () => ({}),
    Configure: () => ({}),
    Stop: () => ({}),
    UpgradeResourceState(request: unknown) {
      const text = new TextDecoder().decode(stored.parse(request).raw_state.json)
      const state = z.record(z.string(), z.unknown()).parse(parseJson(text))
      return { upgraded_state: { msgpack: writeValues(state) } }
    },
    ReadResource(request: unknown) {
      const { type_name, current_state } = current.parse(request)
      const state = readValues(current_state.msgpack)
      const seen = state && { ...state, ...cloud.refresh(type_name, state) }
      return { new_state: { msgpack: writeValues(seen) } }
    },
    PlanResourceChange(request: unknown) {
      const { type_name, prior_state, proposed_new_state } = proposal.parse(request)
      const proposed = readValues(proposed_new_state.msgpack)
      const isNew = readValues(prior_state.msgpack) === undefined
      const planned = isNew && proposed ? withUnknown(schemaOf(type_name), proposed) : proposed
      return { planned_state: { msgpack: writeValues(planned) } }
    },
    ApplyResourceChange(request: unknown) {
      const { type_name, prior_state, planned_state } = change.parse(request)
      const planned = readValues(planned_state.msgpack)
      const isNew = readValues(prior_state.msgpack) === undefined
      if (!isNew && planned) cloud.change(type_name, planned)
      const made = isNew && planned ? cloud.create(type_name, planned) : {}
      return { new_state: { msgpack: writeValues(planned && known(planned, made)) } }
    },
    ReadDataSource(request: unknown) {
      const { type_name, config } = question.parse(request)
      const given = readValues(config.msgpack) ?? {}
      return { state: { msgpack: writeValues({ ...given, ...cloud.read(type_name, given) }) } }
    },
  }
}

/** What the configuration leaves to the provider is known after the apply. */
function withUnknown({ attributes }: BlockSchema, proposed: Values): Values {
  return Object.fromEntries(
    Object.entries(proposed).map(([name, given]) => {
      const isLeft = given === null && attributes[name]?.computed === true
      return [name, isLeft ? new Unknown() : given]
    }),
  )
}

function known(planned: Values, made: Values): Values {
  return Object.fromEntries(
    Object.entries(planned).map(([name, given]) => {
      return [name, given instanceof Unknown ? (made[name] ?? null) : given]
    }),
  )
}

const noCloud: Cloud = {
  create: (type) => found<Values>(undefined, type),
  change: (type) => found<never>(undefined, type),
  refresh: (type) => found<Values>(undefined, type),
  read: (type) => found<Values>(undefined, type),
}

function found<T>(one: T | undefined, type: string): T {
  if (one !== undefined) return one
  throw new Error(`this provider has no ${type}`)
}
