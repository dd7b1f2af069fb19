import { basename } from 'node:path'
import type { z } from 'zod'
import {
  type Catalogue,
  type CatalogueKey,
  catalogueSchema,
  type Catalogues,
  type PlannedCatalogue,
  plannedCatalogueSchema,
  type PlannedKey,
} from '../keys/catalogue.ts'
import type { Key } from '../keys/key.ts'
import { parseJson } from '../lib/json.ts'
import { Complaints } from './complaints.ts'
import { readText } from './text.ts'

type Around = {
  readonly environment: string
  readonly keys: ReadonlyMap<string, Key>
}

/**
 * Reads the catalogues of a configuration, as Terraform or a human wrote them.
 *
 * @throws {ServiceError} `config_invalid` with every complaint about a file: its form, another
 *   environment, a key that the configuration describes otherwise, or that stands in two files.
 */
export function loadCatalogues(files: readonly string[], around: Around): Catalogues {
  const catalogues = files.map((file) => [file, loadCatalogue(file, around)] as const)
  const keys = new Map<string, CatalogueKey>()
  for (const [file, catalogue] of catalogues) {
    const complaints = new Complaints(basename(file), () => undefined)
    for (const [name, key] of Object.entries(catalogue.keys)) {
      if (keys.has(name)) complaints.add(['keys', name], 'it stands in another catalogue too')
      keys.set(name, key)
    }
    complaints.assertNone()
  }
  return { keys, revoked: new Set(catalogues.flatMap(([, { revoked }]) => revoked)) }
}

/** One of them. @throws {ServiceError} `config_invalid`. */
export function loadCatalogue(file: string, around: Around): Catalogue {
  return load(file, catalogueSchema, around)
}

/** One that is to take its place, perhaps as a plan only. @throws {ServiceError} `config_invalid`. */
export function loadPlannedCatalogue(file: string, around: Around): PlannedCatalogue {
  return load(file, plannedCatalogueSchema, around)
}

function load<T extends PlannedCatalogue>(
  file: string,
  schema: z.ZodType<T>,
  { environment, keys }: Around,
): T {
  const name = basename(file)
  const text = readText(file, name, 'correct catalogues, or apply the Terraform that writes it')
  const complaints = new Complaints(name, () => undefined)
  const catalogue = complaints.parse(schema, jsonOf(text, complaints), [])
  complaints.assertNone()
  if (!catalogue) throw new TypeError('a catalogue without complaints was not read')
  if (catalogue.environment !== environment) {
    const message = `it is of environment "${catalogue.environment}", the configuration of "${environment}": take the right file`
    complaints.add(['environment'], message)
  }
  for (const [keyName, entry] of Object.entries(catalogue.keys)) {
    const key = keys.get(keyName)
    if (key)
      checkAgreement(key, entry, (member, message) =>
        complaints.add(['keys', keyName, member], message),
      )
  }
  complaints.assertNone()
  return catalogue
}

function jsonOf(text: string, complaints: Complaints): unknown {
  try {
    return parseJson(text)
  } catch {
    complaints.add([], 'not one JSON value with unique, unescaped member names')
    return complaints.assertNone()
  }
}

function checkAgreement(
  { vault, algorithm, source }: Key,
  entry: PlannedKey,
  complain: (member: string, message: string) => void,
): void {
  if (entry.vault !== vault)
    complain('vault', `the configuration says ${vault}: correct one of them`)
  if (entry.alg !== algorithm.name) {
    complain('alg', `the configuration says ${algorithm.name}: correct one of them`)
  }
  if (source !== 'provisioned') {
    complain('generations', `the configuration says source: ${source}: correct one of them`)
  }
  const initial = Object.values(entry.generations).filter((one) => one.initial === true)
  if (initial.length > 1) complain('generations', 'two are initial: one can be the first to sign')
}
