import { spawnSync } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { type Home, homesOfThisFile, inStore, statesIn, withKey } from '../support/home.ts'

const homes = homesOfThisFile()

/** Beside `first-key`, which signs, a key that never had a version. */
function homeWithNewKey(): Home {
  const home = homes.copy()
  home.edit((text) => withKey(text, 'second: { vault: local, alg: EdDSA, purpose: bytes }'))
  return home
}

const noCatalogue = { revoked: [], ignored: [], cutOff: [] }

const sealedFiles = ({ at }: Home) => readdirSync(at('vault')).length

describe('rotate', () => {
  test.concurrent('gives a key without a version its first one, and a second time nothing is due', async () => {
    const home = homeWithNewKey()
    expect(await home.json(['rotate'])).toEqual({
      exitCode: 0,
      document: {
        verdict: 'done',
        steps: [
          { version: 'second@1', step: 'generated' },
          { version: 'second@1', step: 'activated' },
        ],
        waits: [],
        tasks: [],
        failures: [],
        orphans: [],
        ...noCatalogue,
      },
      stderr: '',
    })
    expect(await home.run(['rotate'])).toEqual({
      exitCode: 0,
      stdout: 'nothing is due\n',
      stderr: '',
    })
    expect(sealedFiles(home)).toBe(2)
  })

  test.concurrent('of a named key does nothing to another', async () => {
    const home = homeWithNewKey()
    expect(await home.run(['rotate', 'first-key'])).toMatchObject({
      exitCode: 0,
      stdout: 'nothing is due\n',
    })
    expect(sealedFiles(home)).toBe(1)
    expect(await home.run(['rotate', 'second'])).toMatchObject({
      exitCode: 0,
      stdout: 'second@1 generated\nsecond@1 activated\n',
    })
  })

  test.concurrent('of a key that is not configured is refused with exit 3, and does nothing', async () => {
    const home = homeWithNewKey()
    const { exitCode, document } = await home.json(['rotate', 'second', 'third'])
    expect(exitCode).toBe(3)
    expect(document).toMatchObject({
      error: {
        code: 'refused',
        message: expect.stringContaining('The configuration has no key third'),
      },
    })
    expect(sealedFiles(home)).toBe(1)
  })

  test.concurrent('--dry-run says what is due, and changes nothing', async () => {
    const home = homeWithNewKey()
    const dry = await home.json(['rotate', '--dry-run'])
    expect(dry).toMatchObject({
      exitCode: 0,
      document: {
        plan: [
          { key: 'first-key', step: 'done' },
          { key: 'second', step: 'generate' },
        ],
      },
    })
    expect(await home.run(['rotate', '--dry-run'])).toMatchObject({
      exitCode: 0,
      stdout: 'first-key: nothing is due\nsecond: a version would be made\n',
    })
    expect(sealedFiles(home)).toBe(1)
    expect(statesIn(home)).toEqual(['first-key@1 active'])
  })

  test.concurrent('twice at once makes one version, and both exit 0', async () => {
    const home = homeWithNewKey()
    const both = await Promise.all([home.json(['rotate']), home.json(['rotate'])])
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0])
    for (const { document } of both) expect(document).toMatchObject({ failures: [] })
    expect(sealedFiles(home)).toBe(2)
    expect(statesIn(home)).toEqual(['first-key@1 active', 'second@1 active'])
  })

  test.concurrent('while another job holds the lease says so, exits 0, and does nothing', async () => {
    const home = homeWithNewKey()
    leaseTo(home, process.pid)
    expect(await home.json(['rotate'])).toEqual({
      exitCode: 0,
      document: {
        verdict: 'busy',
        steps: [],
        waits: [],
        tasks: [],
        failures: [],
        orphans: [],
        ...noCatalogue,
      },
      stderr: '',
    })
    expect(sealedFiles(home)).toBe(1)
  })

  test.concurrent('leaves the lease to one of another container on its volume, whose processes it cannot see', async () => {
    const home = homeWithNewKey()
    leaseTo(home, spawnSync('true').pid, 'another in its-container pid:[1]')
    expect(await home.json(['rotate'])).toMatchObject({
      exitCode: 0,
      document: { verdict: 'busy' },
    })
    expect(statesIn(home)).toEqual(['first-key@1 active'])
  })

  test.concurrent('says with its lease where its pid means something', async () => {
    const home = homes.copy()
    await home.run(['rotate'])
    const holder = inStore(home, (store) => store.prepare('select holder from leases').get())
    const place = `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`
    expect(holder).toEqual({ holder: expect.stringMatching(/^[0-9A-Z]{26} in /) })
    expect(holder).toEqual({ holder: expect.stringContaining(` in ${place}`) })
  })

  test.concurrent.each([
    ['of this place', undefined],
    ['that says of no place', 'another'],
  ])('takes the lease of a process %s that is gone at once', async (_, holder) => {
    const home = homeWithNewKey()
    leaseTo(home, spawnSync('true').pid, holder)
    expect(await home.json(['rotate'])).toMatchObject({
      exitCode: 0,
      document: { verdict: 'done' },
    })
    expect(statesIn(home)).toEqual(['first-key@1 active', 'second@1 active'])
  })

  test.concurrent('replaces a revoked version by a new number, and only where the key is named', async () => {
    const home = homes.copy()
    await home.run(['revoke', 'first-key@1', '--reason', 'a test'])
    expect(await home.run(['rotate'])).toMatchObject({ exitCode: 0, stdout: 'nothing is due\n' })
    expect(await home.run(['rotate', 'first-key'])).toMatchObject({
      exitCode: 0,
      stdout: 'first-key@2 generated\nfirst-key@2 activated\n',
    })
    expect(statesIn(home)).toEqual(['first-key@1 revoked', 'first-key@2 active'])
  })
})

/** For longer than anybody waits; to a process of the job before unless told otherwise. */
function leaseTo({ at }: Home, pid: number, holder?: string): void {
  const database = new DatabaseSync(at('chancery.db'))
  const { changes } = database
    .prepare(
      `update leases set holder = coalesce(?, holder), pid = ?, fence = fence + 1, expires_at = 9e14`,
    )
    .run(holder ?? null, pid)
  database.close()
  expect(changes).toBe(1)
}
