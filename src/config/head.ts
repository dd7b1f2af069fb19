import { dirname } from 'node:path'
import { z } from 'zod'
import { readYaml } from './complaints.ts'
import type { Config } from './config.ts'
import { isRecord, resolvePaths } from './paths.ts'
import { plainSections } from './schema.ts'
import { entrySectionNames } from './sections.ts'
import type { ConfigSource } from './text.ts'

/** What says which store it is. */
export type ConfigHead = Pick<Config<unknown>, 'environment' | 'store'>

const { environment, store } = plainSections
const headSections = z.object({ environment, store })

/**
 * A line without indentation ends whatever a block mapping has begun: what stands before is a mapping too. Of what
 * a regular expression takes for the beginning of a line, YAML does so after a line feed.
 */
const firstEntrySection = new RegExp(`(?<=^|\\n)(?:${entrySectionNames.join('|')}):`)

/** Where the rest may say it once more, however it is spelled, or ends the document, only the whole can tell. */
const headAgain = /(?<=^|\n)(?:environment|store|["'?!&*]|---|\.\.\.)/

/**
 * Environment and store alone, for a command that waits for no key and no grant, and that no fault in those may
 * stop: most of a large configuration is not parsed for it.
 *
 * @returns undefined where they do not stand, whole and once, before every section of entries.
 */
export function headOf({ file, absolute, text }: ConfigSource): ConfigHead | undefined {
  const [head = '', ...rest] = text.split(firstEntrySection)
  if (rest.some((part) => headAgain.test(part))) return undefined
  const value = valueOf(head, file)
  return isRecord(value)
    ? headSections.safeParse(resolvePaths(value, dirname(absolute))).data
    : undefined
}

/** What is wrong with it, the whole says better. */
function valueOf(text: string, file: string): unknown {
  try {
    return readYaml(text, file).value
  } catch {
    return undefined
  }
}
