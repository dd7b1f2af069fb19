import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { homesOfThisFile, withKey } from '../support/home.ts'
import { eventually } from '../support/serving.ts'

const homes = homesOfThisFile()

/** A second vault beside the first, without its files. */
const withVault = (text: string) =>
  text.replace(
    '\nkeys:',
    '\n  spare: { provider: local, directory: ./spare/vault, masterKeyFile: ./spare/master.key }\nkeys:',
  )

describe('vault init', () => {
  test.concurrent('makes the master key of a new vault, for its owner alone, and says to back it up', async () => {
    const home = homes.copy()
    home.edit(withVault)
    const ran = await home.run(['vault', 'init', 'spare'])
    const file = `${home.directory}/spare/master.key`
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ran.stdout).toContain(`${file} is the master key of spare.\nBack it up apart from `)
    const { mode, size } = statSync(file)
    expect([mode & 0o777, size]).toEqual([0o600, 32])
    home.edit((text) => withKey(text, 'second: { vault: spare, alg: EdDSA, purpose: bytes }'))
    expect((await home.run(['rotate'])).stdout).toBe('second@1 generated\nsecond@1 activated\n')
    expect(readdirSync(`${home.directory}/spare/vault`)).toHaveLength(1)
  })

  test.concurrent.each([
    ['an empty vault that has a master key', 'spare', 'master.key exists already'],
    [
      'a vault with keys that has lost its master key',
      'local',
      'holds 1 sealed keys, which no new master key could open',
    ],
    ['a vault that is not configured', 'nobody', 'The configuration has no vault nobody'],
  ])('of %s is refused with exit 3, and changes nothing', async (_, vault, words) => {
    const home = homes.copy()
    home.edit(withVault)
    if (vault === 'spare') await home.run(['vault', 'init', 'spare'])
    else rmSync(home.at('master.key'))
    const before = readdirSync(home.directory, { recursive: true })
    const { exitCode, document } = await home.json(['vault', 'init', vault])
    expect(exitCode).toBe(3)
    expect(document).toMatchObject({
      error: { code: 'refused', message: expect.stringContaining(words) },
    })
    expect(readdirSync(home.directory, { recursive: true })).toEqual(before)
  })
})

describe('vault rekey', () => {
  test.concurrent('exchanges the master key under a running service, which goes on signing', async () => {
    const home = homes.copy()
    await using serving = await home.serve()
    const ask = () => serving.ask('first-key', { claims: { sub: 'a' } })
    const { body } = await ask()
    const before = readFileSync(home.at('master.key'))
    expect(await home.json(['vault', 'rekey', 'local'])).toEqual({
      exitCode: 0,
      document: { vault: 'local', versions: 1 },
      stderr: '',
    })
    expect(readFileSync(home.at('master.key'))).not.toEqual(before)
    expect(await ask()).toMatchObject({ status: 200, body: { kid: body.kid } })

    // A version that is opened only now is sealed under the new one.
    await home.run(['revoke', 'first-key@1', '--reason', 'a test'])
    await home.run(['rotate', 'first-key'])
    await eventually(async () => (await ask()).body.version === 2)
  })

  test.concurrent('of a vault with another master key is refused, and changes nothing', async () => {
    const home = homes.copy()
    const other = randomBytes(32)
    writeFileSync(home.at('master.key'), other)
    const { exitCode, document } = await home.json(['vault', 'rekey', 'local'])
    expect(exitCode).toBe(3)
    expect(document).toMatchObject({
      error: {
        code: 'refused',
        message: expect.stringContaining('sealed under another master key'),
      },
    })
    expect(readFileSync(home.at('master.key'))).toEqual(other)
    expect(readdirSync(home.at('.')).filter((name) => name.includes('.next'))).toEqual([])
  })
})
