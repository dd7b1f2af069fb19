import type { StartOptions } from './chancery.ts'

const preload = new URL('./seed.ts', import.meta.url).href

/** @throws when a mistake was not made: a text of the sources has changed, and its seed has not. */
export function assertSeeded({ stderr }: { readonly stderr: string }): void {
  const misfit = /a seed no longer fits .*|there is no seed .*/.exec(stderr)
  if (misfit) throw new Error(misfit[0])
}

/** How a process is started with these of `seeds`; as it is, when there are none. */
export function seeded(...names: readonly string[]): StartOptions {
  if (names.length === 0) return {}
  return { nodeArguments: ['--import', preload], env: { CHANCERY_SEED: names.join('\n') } }
}
