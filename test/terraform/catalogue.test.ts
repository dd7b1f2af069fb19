import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Catalogue, catalogueSchema } from '../../src/keys/catalogue.ts'
import { keyName } from '../../src/keys/key.ts'
import { fakeKms, type FakeKms } from '../support/fake-kms.ts'
import { kmsCloud } from '../support/terraform-kms.ts'
import { noTerraform, type Workspace, workspace } from '../support/terraform.ts'

/** Evidence about our side: the vault is the fake KMS, and the provider is not AWS's. */

const example = 'examples/aws'
const reports = keyName.parse('reports')

describe.skipIf(noTerraform !== undefined)('the example, applied', () => {
  let kms: FakeKms
  let place: Workspace
  let catalogue: Catalogue

  beforeAll(async () => {
    kms = await fakeKms()
    place = await workspace(kmsCloud(kms))
    await place.done(example, ['init'])
    await place.done(example, ['apply', '-auto-approve'])
    // terraform output -json key_catalogue > catalogue.json
    const text = await place.done(example, ['output', '-json', 'key_catalogue'])
    writeFileSync(join(place.root, example, 'catalogue.json'), text)
    catalogue = catalogueSchema.parse(JSON.parse(text))
  })

  afterAll(async () => {
    await place[Symbol.asyncDispose]()
    await kms[Symbol.asyncDispose]()
  })

  test('writes a catalogue that the service reads, of keys that are in the vault', () => {
    const { environment, keys } = catalogue
    expect(environment).toBe('prod')
    const resources = Object.values(keys).flatMap(({ generations }) => Object.values(generations))
    expect(resources.map(({ resource }) => resource).toSorted()).toEqual(
      [...kms.world.keys.keys()].toSorted(),
    )
    expect(Object.keys(keys[reports]?.generations ?? {})).toEqual(['2026-09', '2027-03'])
    expect(keys[reports]).toMatchObject({ vault: 'aws', alg: 'PS256' })
  })

  test('plans nothing more, with its own catalogue beside it', async () => {
    expect(await place.run(example, ['plan', '-detailed-exitcode'])).toMatchObject({ exitCode: 0 })
  })

  test('plans nothing more after the job has disabled a key', async () => {
    const arn = catalogue.keys[reports]?.generations['2026-09']?.resource ?? ''
    kms.keyAt(arn).state = 'Disabled'
    const { exitCode } = await place.run(example, ['plan', '-detailed-exitcode'])
    kms.keyAt(arn).state = 'Enabled'
    expect(exitCode).toBe(0)
  })

  test('refuses to drop a generation of the catalogue that is in force', async () => {
    const only = { reports_generations: { '2027-03': { state: 'enabled' } } }
    writeFileSync(join(place.root, 'only.tfvars.json'), JSON.stringify(only))
    const { exitCode, stdout } = await place.run(example, [
      'plan',
      '-json',
      '-var-file=../../only.tfvars.json',
    ])
    expect(exitCode).toBe(1)
    expect(stdout).toContain('A generation of the catalogue in force is missing')
  })

  test('refuses to destroy a key, without any catalogue, too', async () => {
    const file = join(place.root, example, 'catalogue.json')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, JSON.stringify({ environment: 'prod', keys: {} }))
    const { exitCode, stdout } = await place.run(example, [
      'plan',
      '-json',
      '-var-file=../../only.tfvars.json',
    ])
    writeFileSync(file, text)
    expect(exitCode).toBe(1)
    expect(stdout).toContain('lifecycle.prevent_destroy')
  })

  test('lets the signer sign with one algorithm, and the rotator disable', () => {
    const { keys } = catalogue
    const KeyId = keys[reports]?.generations['2026-09']?.resource ?? ''
    const may = (duty: string, action: string, algorithm?: string) =>
      kms.world.mayCall(`chancery-prod-${duty}`, action, {
        KeyId,
        MessageType: 'RAW',
        SigningAlgorithm: algorithm,
      })
    expect(may('signer', 'Sign', 'RSASSA_PSS_SHA_256')).toBe(true)
    expect(may('signer', 'Sign', 'RSASSA_PSS_SHA_512')).toBe(false)
    expect(may('rotator', 'Sign', 'RSASSA_PSS_SHA_256')).toBe(false)
    expect(may('signer', 'GetPublicKey')).toBe(true)
    expect(may('signer', 'DisableKey')).toBe(false)
    expect(may('rotator', 'DisableKey')).toBe(true)
    expect(may('auditor', 'GetPublicKey')).toBe(true)
    expect(may('nobody', 'GetPublicKey')).toBe(false)
  })

  test('takes Sign away in the vault when a generation retires', async () => {
    const generations = { '2026-09': { state: 'retiring' }, '2027-03': { state: 'enabled' } }
    writeFileSync(
      join(place.root, 'retiring.tfvars.json'),
      JSON.stringify({ reports_generations: generations }),
    )
    await place.done(example, ['apply', '-auto-approve', '-var-file=../../retiring.tfvars.json'])
    const signs = ['2026-09', '2027-03'].map((generation) =>
      kms.world.mayCall('chancery-prod-signer', 'Sign', {
        KeyId: catalogue.keys[reports]?.generations[generation]?.resource,
        MessageType: 'RAW',
        SigningAlgorithm: 'RSASSA_PSS_SHA_256',
      }),
    )
    expect(signs).toEqual([false, true])
  })
})
