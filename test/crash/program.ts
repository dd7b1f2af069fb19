import { inject } from 'vitest'
import type { StartOptions } from '../support/chancery.ts'
import { armed } from '../support/dying-points.ts'
import { seeded } from '../support/seeded.ts'

declare module 'vitest' {
  interface ProvidedContext {
    readonly program: string
  }
}

/**
 * How a process is started that dies at a point.
 *
 * @param mistakes in it: then it is one of the sources.
 */
export function dying(point: string, mistakes: readonly string[] = []): StartOptions {
  return mistakes.length > 0 ? seeded(point, ...mistakes) : { ...living(), ...armed(point) }
}

/** How one is started that should put right what others have left. */
export function living(mistakes: readonly string[] = []): StartOptions {
  return mistakes.length > 0 ? seeded(...mistakes) : { program: inject('program') }
}
