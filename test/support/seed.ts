import { registerHooks } from 'node:module'
import { type Edit, withEdits } from './edit.ts'
import { fastClocks } from './fast-clock.ts'
import { clockMistakes, vaultClockMistakes } from './clock-seeds.ts'
import { importSeeds } from './import-seeds.ts'
import { leaseMistakes } from './jobs-seeds.ts'
import { registrySeeds } from './registry-seeds.ts'
import { livingMistakes, revokeDies, revokeMistakes } from './revoke-seeds.ts'
import { fenceMistakes, rotateSleeps } from './sleeping.ts'
import { switchDies, switchMistakes } from './rotation-seeds.ts'
import { seeds } from './seeds.ts'

/**
 * Started with `node --import …/seed.ts`, a process runs our sources with mistakes in them, or dies
 * at a named point: `CHANCERY_SEED` names which, one a line. No file is changed.
 */
const names = (process.env['CHANCERY_SEED'] ?? '').split('\n')

const all: Readonly<Record<string, readonly Edit[]>> = {
  ...seeds,
  ...fastClocks,
  ...rotateSleeps,
  ...fenceMistakes,
  ...leaseMistakes,
  ...clockMistakes,
  ...vaultClockMistakes,
  ...registrySeeds,
  ...importSeeds,
  ...revokeDies,
  ...revokeMistakes,
  ...livingMistakes,
  ...switchDies,
  ...switchMistakes,
}

const edits = names.flatMap((name): readonly Edit[] => {
  const found = all[name]
  if (!found) throw new Error(`there is no seed "${name}"`)
  return found
})

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const source = withEdits(url, loaded.source, edits)
    return source === undefined ? loaded : { ...loaded, source }
  },
})
