import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { namingCloud } from '../support/terraform-policies.ts'
import { planned } from '../support/terraform-refusals.ts'
import { noTerraform, type Workspace, workspace } from '../support/terraform.ts'

/** What is wrong is refused by the plan, and the refusal says what to do. */

const plan = {
  environment: 'prod',
  key: 'reports',
  vault_provider: 'aws-kms',
  alg: 'PS256',
  generations: { '2026-09': { state: 'enabled' } },
}
const inForce = (generations: object) => ({
  previous_catalogue: {
    environment: 'prod',
    keys: { reports: { vault: 'aws', alg: 'PS256', generations } },
    meta: { specs: { reports: 'RSA_3072' } },
  },
})
const inCatalogue = { environment: 'prod', vault: 'aws', alg: 'PS256' }
const one = { resource: 'arn:aws:kms:eu-central-1:111122223333:key/0b6a', state: 'enabled' }
const digest = 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg'
const catalogueOf = (generations: object, spec = 'RSA_3072') => ({
  environment: 'prod',
  keys: { reports: { ...inCatalogue, spec, generations } },
  ...inForce({}),
})
const role = (name: string) => `arn:aws:iam::111122223333:role/chancery/${name}`

const azureModule = 'azure-key-vault-signing-key'
const someone = '00000000-0000-4000-8000-00000000000a'
const azureKey = {
  environment: 'prod',
  key: 'documents',
  alg: 'ES256',
  key_vault: { name: 'acme', resource_group_name: 'chancery' },
  identities: { signers: { serve: someone } },
  generations: { '2026-09': { state: 'enabled' } },
}

const refusals = [
  ['a wrong algorithm', 'generation-plan', { ...plan, alg: 'RS1' }, 'choose one of them'],
  [
    'HS256 in a Key Vault',
    'generation-plan',
    { ...plan, alg: 'HS256', vault_provider: 'azure-key-vault' },
    'keep this key in AWS KMS or in a local vault',
  ],
  [
    'a removed generation',
    'generation-plan',
    {
      ...plan,
      generations: { '2027-03': { state: 'enabled' } },
      ...inForce({ '2026-09': { state: 'enabled' } }),
    },
    'put it back, take it through retiring to disabled, and remove it after that',
  ],
  [
    'a generation that would renumber others',
    'generation-plan',
    {
      ...plan,
      generations: { '2026-01': { state: 'pending' }, '2026-09': { state: 'enabled' } },
      ...inForce({ '2026-09': { state: 'enabled' } }),
    },
    'name it after the last one',
  ],
  [
    'a duplicate alias',
    'generation-plan',
    {
      ...plan,
      generations: {
        '2026-09': { state: 'enabled', name: 'reports' },
        '2027-03': { state: 'pending', name: 'reports' },
      },
    },
    'leave `name` out, or give each its own',
  ],
  [
    'a key that cannot sign',
    'generation-plan',
    { ...plan, generations: { '2026-09': { state: 'retiring' } } },
    'enable one, or set without_enabled',
  ],
  [
    'a generation that goes back',
    'generation-plan',
    { ...plan, ...inForce({ '2026-09': { state: 'retiring' } }) },
    'Leave it where the catalogue in force has it, and append a new generation',
  ],
  [
    'a name that a Key Vault does not take',
    'generation-plan',
    {
      ...plan,
      vault_provider: 'azure-key-vault',
      generations: { '2026-09': { state: 'enabled', name: 'reports/2026' } },
    },
    'write - for what is something else',
  ],
  [
    'a day that no calendar has',
    'generation-plan',
    { ...plan, generations: { '2026-02-30': { state: 'enabled' } } },
    'name it by the day that it is made',
  ],
  [
    'another algorithm than in force',
    'generation-plan',
    { ...plan, alg: 'RS256', ...inForce({ '2026-09': { state: 'enabled' } }) },
    'make another key for the new one',
  ],
  [
    'another size than in force',
    'generation-plan',
    { ...plan, spec: 'RSA_4096', ...inForce({ '2026-09': { state: 'enabled' } }) },
    'make another key for the new one',
  ],
  [
    'a key whose module is gone',
    'catalogue',
    { environment: 'prod', keys: {}, ...inForce({ '2026-09': { state: 'retiring' } }) },
    'put its module back, take each generation through retiring to disabled',
  ],
  [
    'a generation that is gone from the catalogue',
    'catalogue',
    { ...catalogueOf({}), ...inForce({ '2026-09': { state: 'enabled' } }) },
    'put the generation back',
  ],
  [
    'one KMS key under two generations',
    'catalogue',
    {
      environment: 'prod',
      first_apply: true,
      keys: { reports: { ...inCatalogue, generations: { '2026-09': one, '2027-03': one } } },
    },
    'a generation has a key of its own',
  ],
  [
    'a plan without the catalogue in force',
    'catalogue',
    { environment: 'prod', keys: {} },
    'or first_apply = true where there never was one',
  ],
  [
    'a generation that goes back in the catalogue, where its module saw nothing',
    'catalogue',
    { ...catalogueOf({ '2026-09': one }), ...inForce({ '2026-09': { state: 'retiring' } }) },
    'reports 2026-09 goes back to a state that the catalogue in force says it has left: states go pending, enabled, retiring, disabled, and never back. Put the state back, and append a new generation',
  ],
  [
    'a generation that would renumber others in the catalogue',
    'catalogue',
    {
      ...catalogueOf({ '2026-01': { ...one, resource: `${one.resource}9` }, '2026-09': one }),
      ...inForce({ '2026-09': one }),
    },
    'reports 2026-01 sorts before a generation of the catalogue in force, and would take its number: name it after the last one',
  ],
  [
    'another size in the catalogue than in force',
    'catalogue',
    { ...catalogueOf({ '2026-09': one }, 'RSA_2048'), ...inForce({ '2026-09': one }) },
    'reports has another size or protection than in the catalogue in force, which no key changes: put it back, and make another key',
  ],
  [
    'a digest that is revoked no more',
    'catalogue',
    {
      ...catalogueOf({ '2026-09': one }),
      previous_catalogue: { ...inForce({}).previous_catalogue, revoked: [digest] },
    },
    `${digest} is revoked by the catalogue in force, and a store from a backup would let it sign again: put the digest back under revoked`,
  ],
  [
    'a state that no generation has',
    'catalogue',
    catalogueOf({ '2026-09': { ...one, state: 'active' } }),
    'hand on what the key module says',
  ],
  ['HS256 in Azure', azureModule, { ...azureKey, alg: 'HS256' }, 'choose an RSA or EC algorithm'],
  ['a wrong algorithm in Azure', azureModule, { ...azureKey, alg: 'RS1' }, 'choose one of them'],
  [
    'a signer that is also a rotator in Azure',
    azureModule,
    { ...azureKey, identities: { signers: { serve: someone }, rotators: { rotate: someone } } },
    'Give each an identity of its own',
  ],
  [
    'a removed generation in Azure',
    azureModule,
    {
      ...azureKey,
      previous_catalogue: {
        environment: 'prod',
        keys: { documents: { generations: { '2026-03': { state: 'enabled' } } } },
      },
    },
    'put it back, take it through retiring to disabled',
  ],
  [
    'a duplicate name in Azure',
    azureModule,
    {
      ...azureKey,
      generations: {
        '2026-09': { state: 'enabled', name: 'Documents' },
        '2027-03': { state: 'pending', name: 'documents' },
      },
    },
    'leave `name` out, or give each its own',
  ],
  [
    'a signer that is also a rotator',
    'key-policy-aws',
    {
      account_id: '111122223333',
      alg: 'PS256',
      state: 'enabled',
      identities: {
        signers: [role('one')],
        rotators: [role('one')],
        provisioners: [role('provisioner')],
      },
    },
    'Give each a role of its own',
  ],
] as const

describe.skipIf(noTerraform !== undefined)('at the plan', () => {
  let place: Workspace

  beforeAll(async () => {
    place = await workspace(namingCloud)
    await place.done(`modules/${azureModule}`, ['init', '-backend=false'])
  })

  afterAll(() => place[Symbol.asyncDispose]())

  test.each(refusals)('%s is refused, with the remedy', async (_, module, variables, remedy) => {
    expect(await planned(place, `modules/${module}`, variables)).toEqual({
      exitCode: 1,
      complaints: [{ severity: 'error', detail: expect.stringContaining(remedy) }],
    })
  })
})
