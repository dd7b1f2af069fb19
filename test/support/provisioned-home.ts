import { copyFileSync, readdirSync, writeFileSync } from 'node:fs'
import { spkiSha256 } from '../../src/keys/catalogue.ts'
import { type Home, inStore, withKey } from './home.ts'

/** A home whose key `reports` Terraform looks after, with the catalogue that it writes. */

type Generations = Readonly<Record<string, { readonly resource?: string; readonly state: string }>>

export function catalogue(home: Home, generations: Generations, more: object = {}): string {
  const keys = { reports: { vault: 'local', alg: 'ES256', generations } }
  const file = home.at('catalogue.json')
  writeFileSync(file, JSON.stringify({ schema_version: 1, environment: 'dev', keys, ...more }))
  return file
}

/** A service whose vault holds two keys that somebody else has made there. */
export async function provisionedHome(homes: {
  readonly copy: () => Home
}): Promise<{ home: Home; first: string; second: string }> {
  const maker = homes.copy()
  maker.edit((text) => withKey(text, 'maker: { vault: local, alg: ES256, purpose: bytes }'))
  await maker.run(['rotate', 'maker'])
  await maker.run(['rotate', 'maker', '--now'])
  const home = homes.copy()
  const made = readdirSync(maker.at('vault')).filter((name) => name.startsWith('maker@'))
  for (const name of made) copyFileSync(maker.at(`vault/${name}`), home.at(`vault/${name}`))
  const key = 'reports: { vault: local, alg: ES256, purpose: bytes, source: provisioned }'
  home.edit((text) => `${withKey(text, key)}\ncatalogues: [./var/catalogue.json]\n`)
  const [first = '', second = ''] = made.toSorted()
  return { home, first, second }
}

/** Of `reports@1`. */
export function spkiSha256Of(home: Home): string {
  return inStore(home, (database) => {
    const row = database.prepare(`select spki from versions where key = 'reports'`).get()
    if (!(row?.['spki'] instanceof Uint8Array)) throw new Error('it has no public key')
    return spkiSha256(row['spki'])
  })
}
