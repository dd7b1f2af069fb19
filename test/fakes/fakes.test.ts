import { createPublicKey, verify } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { homesOfThisFile, withKey } from '../support/home.ts'
import { printedFakes, startFakes } from '../support/started-fakes.ts'

const homes = homesOfThisFile()

describe('npm run fakes', () => {
  test('gives a configuration whose keys are made, sign and verify, without an account', async () => {
    const { stdout, stop } = await startFakes('--json')
    const { vaults, environment: env } = printedFakes(stdout())
    const home = homes.copy()
    home.edit((text) => {
      const lines = Object.entries(vaults).map(
        ([name, vault]) => `  ${name}: ${JSON.stringify(vault)}\n`,
      )
      const withVaults = text.replace('\nkeys:', `\n${lines.join('')}keys:`)
      const names = ['aws', 'azure'] as const
      const keys = names.map((name) => `in-${name}: { vault: ${name}, alg: ES256, purpose: bytes }`)
      const grants = names.map(
        (name) =>
          `  - { caller: first-caller, key: in-${name}, operations: [sign-message, sign-digest] }\n`,
      )
      return `${keys.reduce(withKey, withVaults)}${grants.join('')}`
    })
    expect(await home.run(['rotate'], { env })).toMatchObject({ exitCode: 0 })
    await using serving = await home.serve({ env })
    for (const key of ['in-aws', 'in-azure']) {
      const { status, body } = await serving.ask(key, { message: 'YWJj' })
      expect([key, status, body.code]).toEqual([key, 200, undefined])
      const pem = await home.run(['keys', 'show', key, '--pem'], { env })
      const signature = Buffer.from(body.signature ?? '', 'base64url')
      const publicKey = { key: createPublicKey(pem.stdout), dsaEncoding: 'ieee-p1363' } as const
      expect(verify('sha256', Buffer.from('abc'), publicKey, signature)).toBe(true)
    }
    await serving.stop()
    expect(await stop('SIGTERM')).toMatchObject({ exitCode: 0, stderr: '' })
  })

  test('prints the lines of the configuration and of the environment, and ends at Ctrl-C', async () => {
    const { stdout, stop } = await startFakes()
    expect(stdout()).toMatch(/^vaults:\n {2}aws: \{ provider: aws-kms, /m)
    expect(stdout()).toMatch(/^ {2}azure: \{ provider: azure-key-vault, /m)
    expect(stdout()).toMatch(/^export AWS_ACCESS_KEY_ID=/m)
    expect(await stop('SIGINT')).toMatchObject({ exitCode: 0, stderr: '' })
  })
})
