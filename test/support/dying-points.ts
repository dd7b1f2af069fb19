import type { StartOptions } from './chancery.ts'
import type { Edit } from './edit.ts'
import { importAgainDies, importDies } from './import-seeds.ts'
import { publishDies } from './registry-seeds.ts'
import { revokeDies } from './revoke-seeds.ts'
import { switchDies } from './rotation-seeds.ts'
import { rotateDies } from './seeds.ts'

const all: Readonly<Record<string, readonly Edit[]>> = {
  ...rotateDies,
  ...publishDies,
  ...switchDies,
  ...revokeDies,
  ...importDies,
  ...importAgainDies,
}

const variable = 'CHANCERY_DIES'

/** Every point at once, for one program: none counts but the one that a process is started with. */
export function points(): readonly Edit[] {
  return Object.entries(all).flatMap(([point, edits]) => edits.map((edit) => onlyAt(point, edit)))
}

/** What starts a process of such a program that dies at a point. */
export function armed(point: string): StartOptions {
  if (!Object.hasOwn(all, point)) throw new Error(`there is no point "${point}"`)
  return { env: { [variable]: point } }
}

/** The text itself stays where it was, for the next point that looks for it. */
function onlyAt(point: string, { file, from, to }: Edit): Edit {
  const isHere = `if (process.env['${variable}'] === ${JSON.stringify(point)})`
  if (to.endsWith(from)) {
    return { file, from, to: `${isHere} { ${to.slice(0, -from.length)} } ${from}` }
  }
  if (to.startsWith(from)) {
    return { file, from, to: `${from}; ${isHere} { ${to.slice(from.length)} }` }
  }
  return { file, from, to: `${isHere} { ${to} } ${from}` }
}
