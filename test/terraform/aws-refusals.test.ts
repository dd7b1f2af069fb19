import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { planned } from '../support/terraform-refusals.ts'
import { noTerraform, type Workspace, workspace } from '../support/terraform.ts'

/** What is wrong in AWS is refused by the plan, where its author wrote it, and the refusal says what to do. */

const keyModule = 'modules/aws-kms-signing-key'
const identitiesModule = 'modules/aws-identities'
const keysExample = 'examples/aws/keys'

const account = '111122223333'
const role = (name: string) => `arn:aws:iam::${account}:role/chancery/chancery-prod-${name}`
const identities = {
  signers: [role('signer')],
  rotators: [role('rotator')],
  provisioners: [role('provisioner')],
  recoverers: [`arn:aws:iam::${account}:role/break-glass`],
}
const key = {
  environment: 'prod',
  key: 'reports',
  alg: 'PS256',
  account_id: account,
  identities,
  generations: { '2026-09': { state: 'enabled' } },
}
const subject = (name: string) => {
  return { provider_arn: `arn:aws:iam::${account}:oidc-provider/token.example`, subject: name }
}
const trust = { signer: subject('serve'), provisioner: subject('ci') }
const roles = {
  environment: 'prod',
  account_id: account,
  region: 'eu-central-1',
  recoverers: identities.recoverers,
  trust,
}
const example = { first_apply: true, identities }
const inForce = {
  environment: 'prod',
  keys: {
    reports: { vault: 'aws', alg: 'PS256', generations: { '2026-09': { state: 'enabled' } } },
  },
}

const refusals = [
  ['a wrong algorithm', keyModule, { ...key, alg: 'ES256K' }, 'AWS KMS signs with'],
  [
    'a size for a key that has none',
    keyModule,
    { ...key, alg: 'ES256', modulus_bits: 4096 },
    'leave modulus_bits out',
  ],
  [
    'a size that KMS does not make',
    keyModule,
    { ...key, modulus_bits: 8192 },
    'choose one, 4096 for Contentful',
  ],
  [
    'a removed generation',
    keyModule,
    { ...key, generations: { '2027-03': { state: 'enabled' } }, previous_catalogue: inForce },
    'put it back, take it through retiring to disabled, and remove it after that',
  ],
  [
    'a generation of an unknown state',
    keyModule,
    { ...key, generations: { '2026-09': { state: 'active' } } },
    'A generation is pending, enabled, retiring or disabled',
  ],
  [
    'an alias of two generations',
    keyModule,
    {
      ...key,
      generations: {
        '2026-09': { state: 'enabled', name: 'reports/now' },
        '2027-03': { state: 'pending', name: 'reports/now' },
      },
    },
    'leave `name` out, or give each its own',
  ],
  [
    'an alias of two keys',
    keysExample,
    {
      ...example,
      reports_generations: { '2026-09': { state: 'enabled', name: 'documents/2026-09' } },
    },
    'leave `name` out of their generations, or begin each with the name of its own key',
  ],
  [
    'a signer that is also a rotator',
    keyModule,
    { ...key, identities: { ...identities, rotators: identities.signers } },
    'Give each a role of its own',
  ],
  [
    'a workload that is the signer and the rotator',
    identitiesModule,
    { ...roles, trust: { ...trust, rotator: trust.signer } },
    'run serve and the job as two service accounts',
  ],
  [
    'keys that nobody could repair',
    keyModule,
    { ...key, identities: { ...identities, recoverers: [] } },
    'name a role that people take in an emergency under recoverers',
  ],
  [
    'an importer for ever',
    identitiesModule,
    { ...roles, trust: { ...trust, importer: subject('me') } },
    'say until when it is needed',
  ],
  [
    'an imported key by its alias',
    identitiesModule,
    { ...roles, imported_keys: { 'bot@1': { arn: 'alias/bot', alg: 'RS256' } } },
    'Name each key by its full ARN',
  ],
  [
    'an imported key without its version',
    identitiesModule,
    {
      ...roles,
      imported_keys: {
        bot: { arn: `arn:aws:kms:eu-central-1:${account}:key/2d8c`, alg: 'RS256' },
      },
    },
    'Name each by its version, as `chancery keys list` does',
  ],
  ...(['rotators', 'importers', 'auditors'] as const).map(
    (duty) =>
      [
        `another environment’s identity under ${duty}`,
        keysExample,
        {
          ...example,
          identities: { ...identities, [duty]: [role(duty.slice(0, -1)).replace('prod', 'dev')] },
        },
        'An identity is of another environment or duty: take the key_identities',
      ] as const,
  ),
  [
    'a tag of ours for one of the team',
    identitiesModule,
    { ...roles, tag_names: ['chancery:intent'] },
    'name yours alone',
  ],
  ['a tag by a pattern', identitiesModule, { ...roles, tag_names: ['*'] }, 'Name each tag exactly'],
  [
    'identities of another environment',
    keysExample,
    { ...example, environment: 'dev' },
    'take the key_identities that the identities of this one put out',
  ],
] as const

describe.skipIf(noTerraform !== undefined)('in AWS, at the plan', () => {
  let place: Workspace

  beforeAll(async () => {
    place = await workspace()
    for (const folder of [keyModule, identitiesModule, keysExample]) {
      await place.done(folder, ['init', '-backend=false'])
    }
  })

  afterAll(() => place[Symbol.asyncDispose]())

  test.each(refusals)('%s is refused, with the remedy', async (_, folder, variables, remedy) => {
    expect(await planned(place, folder, variables)).toEqual({
      exitCode: 1,
      complaints: [{ severity: 'error', detail: expect.stringContaining(remedy) }],
    })
  })

  test.each([
    [keyModule, key],
    [identitiesModule, roles],
    [keysExample, example],
  ])('%s takes what is right', async (folder, variables) => {
    expect(await planned(place, folder, variables)).toEqual({ exitCode: 0, complaints: [] })
  })
})
