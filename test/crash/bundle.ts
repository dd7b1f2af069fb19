import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { rolldown } from 'rolldown'
import type { TestProject } from 'vitest/node'
import { points } from '../support/dying-points.ts'
import { edited } from '../support/edit.ts'

/**
 * The program in a few files, every point in it at which it may die, for all crash tests of a run: a
 * process of it starts in half the time that one of the sources takes, and there are thousands.
 */
export async function setup(project: TestProject): Promise<() => void> {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-program-'))
  await bundle(directory)
  project.provide('program', join(directory, 'main.js'))
  return () => rmSync(directory, { recursive: true, force: true })
}

const root = resolve(import.meta.dirname, '../..')

/** Flags of Node, of no account to a kill, for which the program starts twice. */
const startsOnce = { file: 'src/main.ts', from: 'restart() // Everything', to: '// Everything' }

const edits = Map.groupBy([startsOnce, ...points()], ({ file }) => join(root, file))

async function bundle(directory: string): Promise<void> {
  const built = await rolldown({
    input: {
      main: join(root, 'src/main.ts'),
      'audit-worker': join(root, 'src/store/audit-worker.ts'),
    },
    platform: 'node',
    plugins: [
      {
        name: 'dying',
        transform: (source, file) => (edits.get(file) ?? []).reduce(edited, source),
      },
    ],
  })
  await built.write({ dir: directory, entryFileNames: '[name].js' })
  await built.close()
}
