import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  actionsOf,
  allowsOf,
  allowsOnKeys,
  awsIdentities,
  type AwsPolicies,
  type AzurePolicies,
  concerns,
  namingCloud,
  type Rendering,
  renderPolicies,
  reviewed,
  reviewedFile,
} from '../support/terraform-policies.ts'
import { mutate, permissionMutants } from '../support/terraform-mutants.ts'
import { noTerraform, terraformFolder, type Workspace, workspace } from '../support/terraform.ts'

/** All that each identity may do, in one file; a permission that appears changes the file. */

const files = [
  ...[...awsIdentities, 'account'].map((identity) => `aws/${identity}.json`),
  ...['signer', 'rotator', 'auditor'].map((identity) => `azure/${identity}.json`),
]

describe.skipIf(noTerraform !== undefined)('the rendered policies', () => {
  let place: Workspace
  let rendering: Rendering
  let aws: AwsPolicies
  let azure: AzurePolicies

  beforeAll(async () => {
    place = await workspace(namingCloud)
    rendering = await renderPolicies(place)
    ;({ aws, azure } = rendering)
  })

  afterAll(() => place[Symbol.asyncDispose]())

  test.each(files)('%s is as it was reviewed', async (file) => {
    await expect(rendering.files[file]).toMatchFileSnapshot(reviewedFile(file))
  })

  test('are all of them reviewed', () => {
    expect(Object.keys(rendering.files)).toEqual(files)
  })

  test.each(permissionMutants)('change with a permission: $what', async (mutant) => {
    await using other = await workspace(namingCloud)
    mutate(other.root, mutant)
    const changed = await renderPolicies(other)
    const differing = files.filter((file) => changed.files[file] !== reviewed(file))
    expect(differing).toEqual([mutant.changes])
  })

  test('allow no wildcard, but where what is to be made has no name yet', () => {
    const own = awsIdentities.flatMap((identity) =>
      allowsOf(aws.identities[identity]?.policy.Statement ?? []).map((one) => ({ identity, one })),
    )
    const wild = own.filter(({ one }) => JSON.stringify(one.Resource).includes('*'))
    // CreateKey, ListKeys and ListAliases know no resource; a new key and its alias have no name.
    expect(wild.map(({ identity, one }) => `${identity} ${one.Sid}`)).toEqual([
      'importer CreateEmptyKeys',
      'importer TagThemAsTheyAreMade',
      'importer AskToImport',
      'importer Import',
      'importer ReadThem',
      'importer ProveByASignature',
      'importer ProveByAMac',
      'importer ListKeys',
      'importer FindByTag',
      'provisioner CreateSigningKeys',
      'provisioner TagThemAsTheyAreMade',
      'provisioner NameThem',
      'provisioner SeeAliases',
    ])
    const all = [...own.map(({ one }) => one), ...allowsOnKeys(aws)]
    expect(all.length).toBeGreaterThan(40)
    expect(all.filter((one) => /[*?]/.test(JSON.stringify([one.Action, one.Principal])))).toEqual(
      [],
    )
    expect(JSON.stringify(azure.roles)).not.toMatch(/[*?]/)
  })

  test('let nobody decrypt, export, replicate or grant, and one identity alone put a policy', () => {
    const never =
      /^kms:(?:.*Decrypt|.*Encrypt|ReEncrypt.*|GenerateData.*|DeriveSharedSecret|CreateGrant|ReplicateKey|UpdatePrimaryRegion)$/
    const may = (identity: string) => actionsOf(aws, identity)
    expect(
      awsIdentities.flatMap((identity) => may(identity).filter((one) => never.test(one))),
    ).toEqual([])
    const puts = awsIdentities.filter((identity) => may(identity).includes('kms:PutKeyPolicy'))
    expect(puts).toEqual(['provisioner'])
    const deletes = awsIdentities.filter((identity) =>
      may(identity).some((one) => /Delet/.test(one)),
    )
    expect(deletes).toEqual(['provisioner'])
    expect(may('provisioner').filter((one) => /Delet/.test(one))).toEqual(['kms:DeleteAlias'])
  })

  test('let the signer and the importer sign, and the rotator never', () => {
    const signs = awsIdentities.filter((identity) =>
      actionsOf(aws, identity).some((one) => /^kms:(?:Sign|GenerateMac)$/.test(one)),
    )
    expect(signs).toEqual(['signer', 'importer'])
    const withKeys = allowsOnKeys(aws)
    const signing = withKeys.filter((one) =>
      /"kms:(?:Sign|GenerateMac)"/.test(JSON.stringify(one.Action)),
    )
    expect(signing.length).toBe(4)
    expect(signing.every((one) => concerns(one, 'signer') && one.Condition !== undefined)).toBe(
      true,
    )
    expect(signing.some((one) => concerns(one, 'importer'))).toBe(false)
    expect(azure.roles['rotators']).not.toContain('Microsoft.KeyVault/vaults/keys/sign/action')
  })

  test('grant what the provider for AWS KMS asks for, and nothing that it does not', () => {
    const client = readFileSync(resolve(terraformFolder, '../providers/aws-kms/client.ts'), 'utf8')
    const commands = [...client.matchAll(/new (\w+)Command\(/g)].map(([, name]) => `kms:${name}`)
    expect(commands.length).toBeGreaterThan(5)
    const granted = ['signer', 'rotator', 'importer'].flatMap((one) => actionsOf(aws, one))
    // KMS asks for TagResource where a key is made with a tag.
    const asked = [...commands, 'kms:TagResource']
    expect([...new Set(granted)].toSorted(byText)).toEqual(asked.toSorted(byText))
    const readme = readFileSync(resolve(terraformFolder, '../providers/aws-kms/README.md'), 'utf8')
    expect(asked.filter((action) => !readme.includes(action))).toEqual([])
  })
})

test('the roles in Azure allow nothing that the provider for Key Vault does not ask for', () => {
  const client = readFileSync(
    resolve(terraformFolder, '../providers/azure-key-vault/client.ts'),
    'utf8',
  )
  const asked = new Set([...client.matchAll(/call\(\s*'([\w/]+)'/g)].map(([, action]) => action))
  const granted = ['signer', 'rotator', 'auditor'].flatMap((identity) => {
    const text = reviewed(`azure/${identity}.json`)
    return [...text.matchAll(/"Microsoft\.KeyVault\/vaults\/keys\/([\w/]+)"/g)].map(
      ([, action]) => action,
    )
  })
  expect(new Set(granted)).toEqual(new Set(['read', 'sign/action', 'update/action']))
  expect(granted.filter((action) => !asked.has(action))).toEqual([])
})

function byText(one: string, other: string): number {
  return one.localeCompare(other)
}
