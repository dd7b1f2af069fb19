import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { program, type Started } from './program.ts'

/** The organization, and its app that the Contentful key belongs to. */
export const organization = 'acme'
export const app = 'blog'

/** Ours are verified at once: nothing may be kept for long. */
const configuration = '{ listen: 127.0.0.1:0, sqlite: ./var/registry.db, jwksMaxAge: 1s }\n'

const created = z.object({ token: z.string() })
const listening = z.object({ url: z.string() })

export type Registry = {
  readonly url: string
  readonly tokenFile: string
  readonly process: Started
}

/** An app registry of the demo's own: one app, one token, one process. */
export async function startRegistry(directory: string): Promise<Registry> {
  await mkdir(directory)
  const file = join(directory, 'registry.yaml')
  const tokenFile = join(directory, 'admin.token')
  await writeFile(file, configuration)
  const registry = program(file)
  const [made] = await Promise.all([
    registry.run(['registry', 'token', 'create', organization, '--role', 'admin']),
    registry.run(['registry', 'app', 'create', organization, app]),
  ])
  await writeFile(tokenFile, created.parse(made.json).token, { mode: 0o600 })
  const process = await registry.start(['registry', 'serve'])
  return { url: listening.parse(process.listening).url, tokenFile, process }
}

/** Where verifiers look. */
export function jwksUrl({ url }: Registry): string {
  return `${url}/apps/${app}/.well-known/jwks.json`
}
