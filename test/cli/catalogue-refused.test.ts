import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { homesOfThisFile, inStore, statesIn } from '../support/home.ts'
import { catalogue, provisionedHome, spkiSha256Of } from '../support/provisioned-home.ts'

/** Catalogues that revoke, that are refused, or of which a part cannot be taken in. */

const homes = homesOfThisFile()

/** `reports@1` is revoked, and its vault has yet to disable it; `reports@2` stands by. */
async function endedHome() {
  const { home, first, second } = await provisionedHome(homes)
  const both = {
    a: { resource: first, state: 'enabled' },
    b: { resource: second, state: 'enabled' },
  }
  catalogue(home, { a: both.a })
  await home.run(['rotate'])
  catalogue(home, both)
  await home.run(['sync'])
  await home.run(['revoke', 'reports@1', '--no-promote', '--reason', 'a test'])
  const disabledAt = (change = '') =>
    inStore(home, (database) => {
      database.exec(change)
      const of = `from versions where key = 'reports' and n = 1`
      return database.prepare(`select disabled_at ${of}`).get()?.['disabled_at']
    })
  expect(disabledAt(`update versions set disabled_at = null where key = 'reports'`)).toBe(null)
  return { home, both, disabledAt }
}

test('a catalogue that is refused keeps nothing that has ended, and lets nothing sign', async () => {
  const { home, both, disabledAt } = await endedHome()
  catalogue(home, { ...both, a: both.b })
  const { exitCode, document } = await home.json(['rotate', 'reports'])
  expect([exitCode, document]).toMatchObject([
    3,
    {
      steps: [{ version: 'reports@1', step: 'disabled' }],
      tasks: [],
      failures: [{ key: 'reports', code: 'refused' }],
    },
  ])
  expect(disabledAt()).toEqual(expect.any(Number))
  expect(statesIn(home)).toContain('reports@2 created')

  catalogue(home, both)
  expect((await home.run(['rotate'])).stdout).toBe('reports@2 activated\n')
})

test('what the vault does not do of a revocation is exit 4, and told once, though the run tries it again', async () => {
  const { home, first } = await provisionedHome(homes)
  const a = { resource: first, state: 'enabled' }
  catalogue(home, { a })
  await home.run(['rotate'])
  catalogue(home, { a }, { revoked: [spkiSha256Of(home)] })
  mkdirSync(home.at(`vault/${first}.disabled`)) // where the file would be put aside
  expect(await home.json(['rotate'])).toMatchObject({
    exitCode: 4,
    document: {
      revoked: [
        { version: 'reports@1', disabling: { verdict: 'pending', code: 'vault_unavailable' } },
      ],
      steps: [],
      failures: [],
    },
  })
  const next = await home.json(['rotate'])
  expect(next.document).toMatchObject({ failures: [{ key: 'reports', code: 'vault_unavailable' }] })
})

test('a new generation that cannot be taken in keeps no other one from signing', async () => {
  const { home, both } = await endedHome()
  catalogue(home, { ...both, c: { resource: 'maker@9-nothing.json', state: 'enabled' } })
  const { exitCode, document } = await home.json(['rotate', 'reports'])
  expect([exitCode, document]).toMatchObject([
    5,
    {
      steps: [
        { version: 'reports@1', step: 'disabled' },
        { version: 'reports@2', step: 'activated' },
      ],
      tasks: [],
      failures: [{ key: 'reports', code: 'vault_key_unusable' }],
    },
  ])
})

test.each(['sync', 'rotate'])(
  'what a catalogue revokes is in force, and told by %s, though a vault cannot be opened',
  async (command) => {
    const { home, first } = await provisionedHome(homes)
    const a = { resource: first, state: 'enabled' }
    catalogue(home, { a })
    await home.run(['rotate'])
    catalogue(home, { a }, { revoked: [spkiSha256Of(home)] })
    renameSync(home.at('master.key'), home.at('gone.key'))
    expect(await home.json([command])).toMatchObject({
      exitCode: 2,
      document: {
        revoked: [{ version: 'reports@1', before: 'active' }],
        failures: [
          { key: 'first-key', code: 'config_invalid' },
          { key: 'reports', code: 'config_invalid' },
        ],
      },
    })
    expect(statesIn(home)).toContain('reports@1 revoked')
  },
)

test('so it is where no key is configured any more', async () => {
  const { home, first } = await provisionedHome(homes)
  catalogue(home, { a: { resource: first, state: 'enabled' } })
  await home.run(['rotate'])
  const document = {
    schema_version: 1,
    environment: 'dev',
    keys: {},
    revoked: [spkiSha256Of(home)],
  }
  writeFileSync(home.at('catalogue.json'), JSON.stringify(document))
  home.edit(
    (text) => `${text.slice(0, text.indexOf('\nkeys:'))}\ncatalogues: [./var/catalogue.json]\n`,
  )
  renameSync(home.at('master.key'), home.at('gone.key'))
  expect(await home.json(['rotate'])).toMatchObject({
    exitCode: 2,
    document: {
      revoked: [{ version: 'reports@1', before: 'active' }],
      failures: [{ key: 'reports', code: 'config_invalid' }],
    },
  })
})

test('a key that Terraform looks after no more is cut off by no catalogue', async () => {
  const { home, first } = await provisionedHome(homes)
  catalogue(home, { a: { resource: first, state: 'enabled' } })
  await home.run(['rotate'])
  home.edit((text) => text.replace(', source: provisioned', ''))
  writeFileSync(
    home.at('catalogue.json'),
    JSON.stringify({ schema_version: 1, environment: 'dev', keys: {} }),
  )
  expect(await home.json(['rotate'])).toMatchObject({
    exitCode: 0,
    document: { failures: [], cutOff: [] },
  })
})
