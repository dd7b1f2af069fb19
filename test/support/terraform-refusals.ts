import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Workspace } from './terraform.ts'

const diagnosed = z.object({
  type: z.literal('diagnostic'),
  diagnostic: z.object({ severity: z.string(), detail: z.string() }),
})

/** What a plan of a folder says to these variables. */
export async function planned(place: Workspace, folder: string, variables: object) {
  const file = join(place.root, 'variables.tfvars.json')
  writeFileSync(file, JSON.stringify(variables))
  const { exitCode, stdout } = await place.run(folder, ['plan', '-json', `-var-file=${file}`])
  const complaints = stdout
    .trim()
    .split('\n')
    .flatMap((line) => diagnosed.safeParse(JSON.parse(line)).data?.diagnostic ?? [])
  return { exitCode, complaints }
}
