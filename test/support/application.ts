import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { type ChanceryClient, createChanceryClient } from '../../src/client/index.ts'
import type { Home } from './home.ts'
import type { Serving } from './serving.ts'

/** What a test file's applications may sign with: `blog: { vault: local, … }`, and its grant's members. */
export type GrantedKey = { readonly key: string; readonly grant: string }

/** A service that runs, and an application with a credential of its own. */
export type Application = {
  readonly home: Home
  readonly serving: Serving
  readonly client: ChanceryClient
  /** By which verifiers know a key. */
  readonly publicKey: (key: string) => Promise<KeyObject>
}

const pemDocument = z.object({ pem: z.string() })

/** Configures, takes what others have made, makes the first versions, and serves. */
export async function application(
  home: Home,
  keys: readonly GrantedKey[],
  importInto: (home: Home) => Promise<void> = async () => {},
): Promise<Application> {
  configure(home, keys)
  await importInto(home)
  const rotated = await home.run(['rotate'])
  if (rotated.exitCode !== 0) throw new Error(rotated.stderr)
  const serving = await home.serve()
  const client = createChanceryClient({ url: serving.signUrl, credential: home.apiKey })
  return {
    home,
    serving,
    client,
    publicKey: (key) => publicKeyOf(home, key),
  }
}

/** Of the version that signs. */
export async function publicKeyOf(home: Home, key: string): Promise<KeyObject> {
  const { document } = await home.json(['keys', 'show', key, '--pem'])
  return createPublicKey(pemDocument.parse(document).pem)
}

/** Beside the key that `init` made. */
function configure(home: Home, keys: readonly GrantedKey[]): void {
  const lines = keys.map(({ key }) => `  ${key}\n`).join('')
  const grants = keys.map(({ key, grant }) => {
    const [name] = key.split(':')
    return `  - { caller: first-caller, key: ${name}, ${grant} }\n`
  })
  const text = readFileSync(home.configFile, 'utf8')
  const configured = text.replace('\ncallers:', `\n${lines}callers:`)
  writeFileSync(home.configFile, configured + grants.join(''))
}
