import type { StartOptions } from './chancery.ts'

const preload = new URL('./seed.ts', import.meta.url).href

/** How a process is started with these of `seeds`; as it is, when there are none. */
export function seeded(...names: readonly string[]): StartOptions {
  if (names.length === 0) return {}
  return { nodeArguments: ['--import', preload], env: { CHANCERY_SEED: names.join('\n') } }
}
