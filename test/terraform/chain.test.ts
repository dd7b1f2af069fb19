import { createPublicKey } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Catalogue, catalogueSchema } from '../../src/keys/catalogue.ts'
import { keyName } from '../../src/keys/key.ts'
import { awsEnvironment, withAwsVault } from '../support/aws-vault.ts'
import { spkiOf } from '../support/fake-kms/keys.ts'
import { fakeKms, type FakeKms } from '../support/fake-kms.ts'
import { type Home, homesOfThisFile, statesIn, withKey } from '../support/home.ts'
import { eventually, type Serving } from '../support/serving.ts'
import { kmsCloud } from '../support/terraform-kms.ts'
import {
  applyExample,
  catalogueText,
  keysRoot,
  plannedChanges,
} from '../support/terraform-example.ts'
import { noTerraform, type Workspace, workspace } from '../support/terraform.ts'

/**
 * From a plan to a signature, and on to the next key pair. Evidence about our side: the vault is the fake
 * KMS, with the policies of the keys in force, and the provider is not AWS's.
 */

const reports = keyName.parse('reports')
/** Who asks, by access key: the fake takes a role's name for one. */
const as = (duty: string) => ({
  env: { ...awsEnvironment, AWS_ACCESS_KEY_ID: `chancery-dev-${duty}` },
})

describe.skipIf(noTerraform !== undefined)('a planned catalogue', () => {
  const homes = homesOfThisFile()
  let kms: FakeKms
  let place: Workspace
  let home: Home
  let catalogue: Catalogue

  beforeAll(async () => {
    kms = await fakeKms()
    place = await workspace(kmsCloud(kms))
    await applyExample(place, 'dev')
  })

  afterAll(async () => {
    await place[Symbol.asyncDispose]()
    await kms[Symbol.asyncDispose]()
  })

  test('is taken in, signs, rotates, and is not replaced by one that cuts it off', async () => {
    home = homes.copy()
    home.edit((text) => configured(text, kms.endpoint))
    catalogue = await written(place, home)

    expect(await home.json(['sync'], as('rotator'))).toMatchObject({ exitCode: 0 })
    expect(await home.json(['rotate'], as('rotator'))).toMatchObject({ exitCode: 0 })
    expect(statesIn(home)).toContain('reports@1 active')
    await using serving = await home.serve(as('signer'))
    await signs(serving, 1, '2026-09')

    expect(await home.run(['rotate', 'reports', '--now'], as('rotator'))).toMatchObject({
      exitCode: 0,
    })
    // As a timer does: the service may not have proved the standby yet.
    await eventually(async () => {
      expect(await home.run(['rotate'], as('rotator'))).toMatchObject({ exitCode: 0 })
      return statesIn(home).includes('reports@2 active')
    })
    await signs(serving, 2, '2027-03')
    expect(await plannedChanges(place)).toEqual([])

    const old = await planned(place, home, { '2026-09': 'retiring', '2027-03': 'enabled' })
    expect(await home.run(['catalogue', 'check', old])).toMatchObject({ exitCode: 0 })
    const active = await planned(place, home, { '2026-09': 'enabled', '2027-03': 'retiring' })
    const checked = await home.run(['catalogue', 'check', active])
    expect(checked).toMatchObject({ exitCode: 3, stdout: expect.stringContaining('reports@2') })
    expect((await serving.stop()).exitCode).toBe(0)
    expect(askedBy(kms)).toEqual({
      'chancery-dev-rotator': ['DescribeKey', 'GetPublicKey'],
      'chancery-dev-signer': ['DescribeKey', 'GetPublicKey', 'Sign'],
    })
  })

  test('signs nothing for a service that runs as the job', async () => {
    await using serving = await home.serve(as('rotator'))
    const { status, body } = await serving.ask('reports', { claims: { sub: 'a' } })
    expect([status, body.code]).toEqual([503, 'vault_denied'])
  })

  async function signs(serving: Serving, version: number, generation: string): Promise<void> {
    const { status, body } = await serving.ask('reports', { claims: { sub: 'a' } })
    expect([status, body.version]).toEqual([200, version])
    const arn = catalogue.keys[reports]?.generations[generation]?.resource ?? ''
    const key = createPublicKey({ key: spkiOf(kms.keyAt(arn)), format: 'der', type: 'spki' })
    const { payload } = await jwtVerify(body.jwt ?? '', key, { algorithms: ['PS256'] })
    expect(payload).toMatchObject({ sub: 'a' })
  }
})

async function written(place: Workspace, home: Home): Promise<Catalogue> {
  const text = await catalogueText(place)
  writeFileSync(join(home.directory, 'catalogue.json'), text)
  return catalogueSchema.parse(JSON.parse(text))
}

const shown = z.object({
  planned_values: z.object({
    outputs: z.object({ key_catalogue: z.object({ value: catalogueSchema }) }),
  }),
})

/** The catalogue of a plan that nobody has applied. */
async function planned(
  place: Workspace,
  home: Home,
  states: Readonly<Record<string, string>>,
): Promise<string> {
  const generations = Object.entries(states).map(([name, state]) => [name, { state }])
  const file = join(place.root, 'next.tfvars.json')
  writeFileSync(file, JSON.stringify({ reports_generations: Object.fromEntries(generations) }))
  await place.done(keysRoot, ['plan', `-var-file=${file}`, '-out=next.plan'])
  const plan = shown.parse(JSON.parse(await place.done(keysRoot, ['show', '-json', 'next.plan'])))
  const to = join(home.directory, 'next.json')
  writeFileSync(to, JSON.stringify(plan.planned_values.outputs.key_catalogue.value))
  return to
}

function configured(text: string, endpoint: string): string {
  const profile = '{ name: generic-jwt, issuer: https://acme.example }'
  const rotation = '{ every: 90d, overlap: 20m, standby: 1 }'
  const keys = [
    `reports: { vault: aws, alg: PS256, source: provisioned, profile: ${profile}, rotation: ${rotation} }`,
    'documents: { vault: aws, alg: ES256, purpose: bytes, source: provisioned }',
  ]
  const grants =
    '  - { caller: first-caller, key: reports, operations: [sign-claims], maxLifetime: 15m, claims: { sub: { text: 20 } } }\n' +
    '  - { caller: first-caller, key: documents, operations: [sign-message] }\n'
  return `catalogues: [./catalogue.json]\n${keys.reduce(withKey, withAwsVault(text, endpoint))}${grants}`
}

function askedBy({ requests }: FakeKms): Record<string, readonly string[]> {
  const actions = Map.groupBy(requests, ({ accessKeyId }) => accessKeyId)
  return Object.fromEntries(
    [...actions].map(([id, all]) => [
      id,
      [...new Set(all.map(({ action }) => action))].toSorted((a, b) => a.localeCompare(b)),
    ]),
  )
}
