import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Catalogue } from '../../src/keys/catalogue.ts'
import { keyName } from '../../src/keys/key.ts'
import { fakeKms, type FakeKms } from '../support/fake-kms.ts'
import { kmsCloud } from '../support/terraform-kms.ts'
import { applyExample, keysRoot, plannedChanges } from '../support/terraform-example.ts'
import { noTerraform, terraformFolder, type Workspace, workspace } from '../support/terraform.ts'

/** Evidence about our side: the vault is the fake KMS, and the provider is not AWS's. */

const reports = keyName.parse('reports')

describe.skipIf(noTerraform !== undefined)('the example, applied', () => {
  let kms: FakeKms
  let place: Workspace
  let catalogue: Catalogue
  let movedAlias = ''

  beforeAll(async () => {
    kms = await fakeKms()
    const cloud = kmsCloud(kms)
    place = await workspace({
      ...cloud,
      refresh: (type, state) =>
        state['name'] === movedAlias ? { target_key_id: 'another' } : cloud.refresh(type, state),
    })
    catalogue = await applyExample(place, 'prod')
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
    expect(await plannedChanges(place)).toEqual([])
  })

  test('plans nothing more after the job has disabled a key', async () => {
    const arn = catalogue.keys[reports]?.generations['2026-09']?.resource ?? ''
    kms.keyAt(arn).state = 'Disabled'
    const changes = await plannedChanges(place)
    kms.keyAt(arn).state = 'Enabled'
    expect(changes).toEqual([])
  })

  test('refuses to drop a generation of the catalogue that is in force', async () => {
    const only = { reports_generations: { '2027-03': { state: 'enabled' } } }
    writeFileSync(join(place.root, 'only.tfvars.json'), JSON.stringify(only))
    const { exitCode, stdout } = await place.run(keysRoot, [
      'plan',
      '-json',
      '-var-file=../../../only.tfvars.json',
    ])
    expect(exitCode).toBe(1)
    expect(stdout).toContain('A generation of the catalogue in force is missing')
  })

  test('refuses to destroy a key, without any catalogue, too', async () => {
    const file = join(place.root, keysRoot, 'catalogue.json')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, JSON.stringify({ environment: 'prod', keys: {} }))
    const { exitCode, stdout } = await place.run(keysRoot, [
      'plan',
      '-json',
      '-var-file=../../../only.tfvars.json',
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

  /** https://github.com/hashicorp/terraform-provider-aws/blob/v6.66.0/internal/service/kms/key.go, alias.go */
  const askedByTerraform =
    'DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags PutKeyPolicy TagResource UntagResource UpdateKeyDescription CreateAlias DeleteAlias UpdateAlias'.split(
      ' ',
    )

  test('is planned and changed by the provisioner, who has no right over any role', async () => {
    const KeyId = catalogue.keys[reports]?.generations['2026-09']?.resource ?? ''
    const may = (action: string) =>
      kms.world.mayCall('chancery-prod-provisioner', action, { KeyId })
    // For an alias that somebody moved: it is replaced instead.
    expect(askedByTerraform.filter((action) => !may(action))).toEqual(['UpdateAlias'])
    expect(['Sign', 'DisableKey', 'ScheduleKeyDeletion'].filter(may)).toEqual([])
    const made = await place.done(keysRoot, ['state', 'list'])
    const types = [...made.matchAll(/\b(aws_\w+)\./g)].map(([, type]) => type)
    expect(new Set(types)).toEqual(new Set(['aws_kms_alias', 'aws_kms_key']))
  })

  test('replaces an alias that somebody moved when asked to, since nobody may move it back', async () => {
    const address = 'module.reports.aws_kms_alias.generation["2026-09"]'
    movedAlias = 'alias/chancery/prod/reports/2026-09'
    const back = await plannedChanges(place)
    const replaced = await plannedChanges(place, `-replace=${address}`)
    movedAlias = ''
    expect(back).toEqual([`update ${address}`])
    expect(replaced).toEqual([`delete,create ${address}`])
    const granted = globSync('**/*.{tf,json}', { cwd: terraformFolder }).filter((file) =>
      /kms:UpdateAlias/.test(readFileSync(join(terraformFolder, file), 'utf8')),
    )
    expect(granted).toEqual([])
  })

  test('takes Sign away in the vault when a generation retires', async () => {
    const generations = { '2026-09': { state: 'retiring' }, '2027-03': { state: 'enabled' } }
    writeFileSync(
      join(place.root, 'retiring.tfvars.json'),
      JSON.stringify({ reports_generations: generations }),
    )
    await place.done(keysRoot, [
      'apply',
      '-auto-approve',
      '-var-file=../../../retiring.tfvars.json',
    ])
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
