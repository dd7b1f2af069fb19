import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Home, homesOfThisFile, withKey } from '../support/home.ts'
import { smallDisk } from '../support/small-disk.ts'

const homes = homesOfThisFile()
const claims = { claims: { sub: 'a' } }
const because = ['--reason', 'a test']

test('a full disk: nothing leaves without its record, commands refuse, and nothing is half done', async (context) => {
  const disk = smallDisk(join(homes.root, 'full'))
  if (typeof disk === 'string') return context.skip(disk)
  using _ = disk
  const home = homes.copy(undefined, join(disk.directory, 'home'))
  home.edit((text) => withKey(text, 'second: { vault: local, alg: EdDSA, purpose: bytes }'))
  await using serving = await home.serve()
  expect((await serving.ask('first-key', claims)).status).toBe(200)

  disk.fill()
  const refused = await serving.ask('first-key', claims)
  expect(refused).toMatchObject({ status: 503, body: { code: 'audit_unavailable' } })
  for (const command of [['suspend', 'key', 'first-key', ...because], ['rotate']]) {
    const { exitCode, document, stderr } = await home.json(command)
    expect(exitCode).toBe(5)
    expect(document).toMatchObject({ error: { code: 'store_unavailable' } })
    expect(stderr).toContain('the disk is full: free some space; nothing was lost')
  }
  expect(readdirSync(home.at('vault'))).toHaveLength(1)

  disk.empty()
  expect((await serving.ask('first-key', claims)).status).toBe(200)
  const verified = await home.json(['audit', 'verify'])
  expect(verified).toMatchObject({ exitCode: 0, document: { verdict: 'whole', intents: 2 } })
  expect((await home.run(['keys', 'list'])).stdout).toContain('  first-key@1  active  ')
  expect((await home.run(['rotate'])).stdout).toBe('second@1 generated\nsecond@1 activated\n')
})

test('a store that is read-only: commands and serve refuse, and nothing is written', async (context) => {
  const home = readOnlyHome()
  if (typeof home === 'string') return context.skip(home)
  using _ = home
  const before = readFileSync(home.at('chancery.db'))
  for (const command of [['serve'], ['suspend', 'everything', ...because]]) {
    const { exitCode, document, stderr } = await home.json(command)
    expect(exitCode).toBe(5)
    expect(document).toMatchObject({ error: { code: 'store_unavailable' } })
    expect(stderr).toMatch(/^chancery: The store cannot be used: .* writable for this user$/m)
  }
  expect(readFileSync(home.at('chancery.db'))).toEqual(before)
})

/** Root may write whatever the modes say; only a file system stops it. */
function readOnlyHome(): (Home & Disposable) | string {
  if (process.geteuid?.() === 0) {
    const disk = smallDisk(join(homes.root, 'read-only'))
    if (typeof disk === 'string') return disk
    const home = homes.copy(undefined, join(disk.directory, 'home'))
    disk.makeReadOnly()
    return { ...home, [Symbol.dispose]: () => disk[Symbol.dispose]() }
  }
  const home = homes.copy()
  chmodSync(home.at('chancery.db'), 0o400)
  chmodSync(home.at('.'), 0o500)
  return { ...home, [Symbol.dispose]: () => chmodSync(home.at('.'), 0o700) }
}
