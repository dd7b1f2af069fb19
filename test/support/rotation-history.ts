import * as fc from 'fast-check'
import type { Store } from '../../src/store/store.ts'
import type { RegistryFault } from './memory-registry.ts'
import { dayMs, hourMs } from './rotation-facts.ts'
import { type Meanwhile, RotationWorld, type VaultFault, worldPolicy } from './rotation-world.ts'

/** What may happen to a key, in any order. */
export type Happening =
  | {
      readonly kind: 'run'
      readonly now: 'no' | 'with overlap' | 'without overlap'
      readonly isNamed: boolean
      readonly isForced: boolean
      readonly diesAt: number | undefined
      readonly meanwhile?: { readonly at: number; readonly what: Meantime } | undefined
    }
  | { readonly kind: 'time passes'; readonly ms: number }
  | { readonly kind: 'clock is set'; readonly ms: number }
  | { readonly kind: 'stranger'; readonly comes: boolean }
  | { readonly kind: 'our newest key is deleted there' }
  | { readonly kind: 'our oldest key is used' }
  | { readonly kind: 'registry'; readonly fault: RegistryFault }
  | { readonly kind: 'vault'; readonly fault: VaultFault }
  | { readonly kind: 'revoked'; readonly promotes: boolean }
  | { readonly kind: 'cut off' }
  | { readonly kind: 'suspended'; readonly isSo: boolean }
  | { readonly kind: 'serve'; readonly proves: boolean | undefined }

const meantimes = ['revoked', 'revoked and promoted', 'suspended', 'a process serves'] as const
type Meantime = (typeof meantimes)[number]

const run = fc.record({
  kind: fc.constant('run' as const),
  now: fc.oneof(
    { arbitrary: fc.constant('no' as const), weight: 5 },
    { arbitrary: fc.constantFrom('with overlap' as const, 'without overlap' as const), weight: 1 },
  ),
  isNamed: fc.boolean(),
  isForced: fc.oneof(
    { arbitrary: fc.constant(false), weight: 9 },
    { arbitrary: fc.constant(true), weight: 1 },
  ),
  diesAt: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined, freq: 2 }),
  meanwhile: fc.option(
    fc.record({ at: fc.integer({ min: 1, max: 20 }), what: fc.constantFrom(...meantimes) }),
    { nil: undefined, freq: 2 },
  ),
})

const passed = fc.record({
  kind: fc.constant('time passes' as const),
  ms: fc.constantFrom(60_000, 300_000, hourMs, dayMs, 7 * dayMs, 30 * dayMs),
})

const event = fc.oneof(
  fc.record({
    kind: fc.constant('clock is set' as const),
    ms: fc.constantFrom(-hourMs, hourMs),
  }),
  fc.record({ kind: fc.constant('stranger' as const), comes: fc.boolean() }),
  fc.constant({ kind: 'our newest key is deleted there' as const }),
  fc.constant({ kind: 'our oldest key is used' as const }),
  fc.record({
    kind: fc.constant('registry' as const),
    fault: fc.constantFrom<RegistryFault[]>('none', 'down', 'reply lost', 'forgetful'),
  }),
  fc.record({
    kind: fc.constant('vault' as const),
    fault: fc.constantFrom<VaultFault[]>('none', 'down', 'reply lost', 'forgetful'),
  }),
  fc.record({ kind: fc.constant('revoked' as const), promotes: fc.boolean() }),
  fc.constant({ kind: 'cut off' as const }),
  fc.record({ kind: fc.constant('suspended' as const), isSo: fc.boolean() }),
  fc.record({
    kind: fc.constant('serve' as const),
    proves: fc.option(fc.boolean(), { nil: undefined }),
  }),
)

/** Mostly runs and time, so that something comes of it. */
export const anyHistory: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.oneof(
    { arbitrary: run, weight: 4 },
    { arbitrary: passed, weight: 3 },
    { arbitrary: event, weight: 3 },
  ),
  { minLength: 1, maxLength: 24 },
)

/** @returns every rule that was broken on the way, and what is not well once everybody behaves. */
export async function live(
  store: Store,
  name: string,
  history: readonly Happening[],
): Promise<readonly string[]> {
  const world = new RotationWorld(store, name)
  for (const happening of history) await happen(world, happening)
  return [...world.problems, ...(await settle(world))]
}

async function happen(world: RotationWorld, it: Happening): Promise<void> {
  switch (it.kind) {
    case 'run':
      await world.run(
        { now: it.now, isNamed: it.isNamed, isForced: it.isForced },
        it.diesAt,
        it.meanwhile && { at: it.meanwhile.at, happens: meantime(it.meanwhile.what) },
      )
      return
    case 'time passes':
      world.clock.advance(it.ms)
      return
    case 'clock is set':
      world.clock.step(it.ms)
      world.hasStepped = true
      return
    case 'stranger':
      if (!it.comes) world.registry.keys.delete('stranger')
      else if (world.registry.keys.size < 3) world.registry.keys.set('stranger', 0)
      return
    case 'our newest key is deleted there': {
      const kid = [...world.registry.keys.keys()].findLast((one) => one !== 'stranger')
      if (kid === undefined) return
      world.registry.keys.delete(kid)
      world.deleted.add(kid)
      return
    }
    case 'our oldest key is used': {
      const [kid] = world.registry.keys.keys()
      if (kid !== undefined) world.registry.lastUsedAt.set(kid, world.clock.now())
      return
    }
    case 'registry':
      world.registry.fault = it.fault
      return
    case 'vault':
      world.vaultFault = it.fault
      return
    case 'revoked':
      return world.revokeActive(it.promotes)
    case 'cut off':
      return world.cutOffActive()
    case 'suspended':
      return it.isSo ? world.suspendNext() : world.resumeAll()
    case 'serve':
      if (it.proves === undefined) world.serving.clear()
      else world.serving.set(`serve-${world.serving.size}`, it.proves)
  }
}

function meantime(what: Meantime): Meanwhile['happens'] {
  switch (what) {
    case 'revoked':
      return async (world) => world.revokeActive(false)
    case 'revoked and promoted':
      return async (world) => world.revokeActive(true)
    case 'suspended':
      return async (world) => world.suspendNext()
    case 'a process serves':
      return async (world) => {
        world.serving.set('late', false)
        await world.beat()
      }
  }
}

/** Everybody behaves, and time passes: the key comes to its steady state, whatever has happened. */
async function settle(world: RotationWorld): Promise<readonly string[]> {
  world.registry.fault = 'none'
  world.vaultFault = 'none'
  world.registry.keys.delete('stranger')
  world.serving.clear()
  await world.resumeAll()
  await world.run({ isNamed: true })
  // The last hour is for a switch that has only just become due.
  const waits = [...Array<number>(5).fill(worldPolicy.overlapMs + hourMs), hourMs]
  for (const [i, ms] of waits.entries()) {
    world.clock.advance(ms)
    const result = await world.run({})
    const errors = result.verdict === 'done' ? result.failures : ['busy']
    if (errors.length > 0) return [`it does not heal: ${JSON.stringify(errors)}`]
    // Not when the next one would have been due anyway.
    if (i === 1 && (await isCutOff(world))) return ['one that its catalogue does not let signs on']
  }
  return wrongIn(world)
}

async function isCutOff(world: RotationWorld): Promise<boolean> {
  const versions = await world.versions()
  return versions.some(({ state, generation }) => state === 'active' && generation !== undefined)
}

async function wrongIn(world: RotationWorld): Promise<readonly string[]> {
  const versions = await world.versions()
  const inState = (state: string) => versions.filter((version) => version.state === state)
  // What somebody deleted behind our back is drift, which `sync` reports.
  const listed = versions.filter(
    ({ state, kid }) =>
      ['published', 'active', 'retiring'].includes(state) && !world.deleted.has(kid),
  )
  const ended = versions.filter(({ state }) => state === 'retired' || state === 'revoked')
  const awake = ended.filter(({ resource }) => !world.disabled.has(resource))
  const trusted = ended.filter(({ kid }) => world.registry.keys.has(kid))
  const open = await world.openIntents()
  const orphans = await world.orphans()
  const numbers = new Set(versions.map(({ n }) => n))
  return [
    ...(inState('active').length === 1 ? [] : [`${inState('active').length} sign`]),
    ...(inState('published').length === 1 ? [] : [`${inState('published').length} stand by`]),
    ...(inState('created').length === 0 ? [] : ['one was never published']),
    ...(inState('retiring').length <= 1 ? [] : ['retiring ones stay']),
    ...(listed.every(({ kid }) => world.registry.keys.has(kid)) ? [] : ['one is not listed']),
    ...(awake.length === 0 ? [] : ['an ended one is not disabled']),
    ...(trusted.length === 0 ? [] : ['an ended one is still listed']),
    ...(open === 0 ? [] : [`${open} intents are open`]),
    ...(orphans <= world.lost ? [] : [`${orphans} orphans after ${world.lost} losses`]),
    ...(numbers.size === versions.length ? [] : ['a number was used twice']),
  ]
}
