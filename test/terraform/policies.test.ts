import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  actionsOf,
  allowsOf,
  allowsOnKeys,
  awsIdentities,
  type AwsPolicies,
  concerns,
  type Statement,
} from '../support/terraform-aws-policies.ts'
import {
  namingCloud,
  type Rendering,
  renderPolicies,
  reviewed,
  reviewedFile,
} from '../support/terraform-policies.ts'
import { shell } from '../support/shell.ts'
import { readModule } from '../support/terraform-documents.ts'
import { mutate } from '../support/terraform-mutants.ts'
import { permissionMutants, replacedPolicy } from '../support/terraform-permission-mutants.ts'
import { sectionOf } from '../support/terraform-runbooks.ts'
import {
  noRunbooks,
  noTerraform,
  terraformFolder,
  type Workspace,
  workspace,
} from '../support/terraform.ts'

/** All that each identity may do, in one file; a permission that appears changes the file. */

const azureFiles = ['azure/signer.json', 'azure/rotator.json', 'azure/auditor.json']
const files = [
  ...[...awsIdentities, 'recoverer'].map((identity) => `aws/${identity}.json`),
  ...azureFiles,
]

/** What stands in the files above. */
const granting = [
  'aws_iam_role',
  'aws_iam_role_policy',
  'azurerm_role_assignment',
  'azurerm_role_definition',
]
/** A key's policy is in the files above; these grant nothing beside it. */
const harmless = [
  'aws_kms_alias',
  'aws_kms_external_key',
  'aws_kms_key',
  'azurerm_key_vault',
  'azurerm_key_vault_key',
]

const unreviewed = ({ types }: Rendering) =>
  types.filter((type) => !harmless.includes(type) && !granting.includes(type))

describe.skipIf(noTerraform !== undefined)('the rendered policies', () => {
  let place: Workspace
  let rendering: Rendering
  let aws: AwsPolicies

  beforeAll(async () => {
    place = await workspace(namingCloud)
    rendering = await renderPolicies(place)
    ;({ aws } = rendering)
  })

  afterAll(() => place[Symbol.asyncDispose]())

  test.each(files)('%s is as it was reviewed', async (file) => {
    await expect(rendering.files[file]).toMatchFileSnapshot(reviewedFile(file))
  })

  test('are all of them reviewed', () => {
    expect(Object.keys(rendering.files).toSorted()).toEqual(files.toSorted())
  })

  test('are all that Terraform makes to grant anything', () => {
    expect(unreviewed(rendering)).toEqual([])
    expect(rendering.types).toEqual(expect.arrayContaining(granting))
  })

  // Together, since each concerns a file of its own: a rendering takes seconds.
  test.each(permissionMutants)('change with a permission: $what', async ({ mutants }) => {
    await using other = await workspace(namingCloud)
    for (const mutant of mutants) mutate(other.root, mutant)
    const changed = await renderPolicies(other)
    const differing = files.filter((file) => changed.files[file] !== reviewed(file))
    const concerned = mutants.map(({ changes }) => changes)
    expect(new Set(concerned).size).toBe(mutants.length)
    expect(differing.toSorted(byText)).toEqual(concerned.toSorted(byText))
  })

  test('are not all any more with a policy that replaces a key’s', async () => {
    await using other = await workspace(namingCloud)
    mutate(other.root, replacedPolicy)
    expect(unreviewed(await renderPolicies(other))).toEqual(['aws_kms_key_policy'])
  })

  test('allow no wildcard, but where what is to be made has no name yet', () => {
    const own = awsIdentities.flatMap((identity) =>
      allowsOf(aws.own[identity]).map((one) => ({ identity, one })),
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
    for (const file of azureFiles) expect(rendering.files[file]).not.toMatch(/[*?]/)
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
    const mays = azureFiles.filter((file) => rendering.files[file]?.includes('/sign/action'))
    expect(mays).toEqual(['azure/signer.json'])
  })

  test('deny the importer to sign with what the signer signs with, for which both tags would do', () => {
    const signs = (one: Statement) => /"kms:(?:Sign|GenerateMac)"/.test(JSON.stringify(one.Action))
    const inService = allowsOf(aws.own['signer']).filter(signs)
    const denied = (aws.own['importer'] ?? []).filter((one) => one.Effect === 'Deny' && signs(one))
    expect(denied).toEqual([
      {
        Sid: 'NeverWithAKeyInService',
        Effect: 'Deny',
        Action: ['kms:GenerateMac', 'kms:Sign'],
        Resource: inService.flatMap(({ Resource = [] }) => Resource).toSorted(byText),
      },
    ])
    expect(denied[0]?.Resource).toHaveLength(2)
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

describe('the roles in Azure', () => {
  const dataActionsOf = (identity: string) => [
    ...new Set(reviewed(`azure/${identity}.json`).match(/Microsoft\.KeyVault\/vaults\/key[\w/]+/g)),
  ]
  const onKeys = (...actions: readonly string[]) =>
    actions.map((action) => `Microsoft.KeyVault/vaults/keys/${action}`)

  test('allow nothing that the provider for Key Vault does not ask for', () => {
    const client = readFileSync(
      resolve(terraformFolder, '../providers/azure-key-vault/client.ts'),
      'utf8',
    )
    const asked = [...client.matchAll(/call\(\s*'([\w/]+)'/g)].map(([, action = '']) => action)
    const granted = ['signer', 'rotator', 'auditor', 'importer'].flatMap(dataActionsOf)
    expect(new Set(granted)).toEqual(
      new Set(onKeys('read', 'sign/action', 'update/action', 'import/action')),
    )
    expect(granted.filter((action) => !onKeys(...asked).includes(action))).toEqual([])
  })

  test('that an owner makes by hand have no wildcard, and let nobody delete, decrypt or back up', () => {
    for (const identity of ['importer', 'provisioner']) {
      const role = azureRole.parse(JSON.parse(reviewed(`azure/${identity}.json`)))
      expect(role.Name).toBe(`Chancery ${identity}`)
      expect(JSON.stringify([role.Actions, role.DataActions])).not.toMatch(/[*?]/)
      expect(dataActionsOf(identity).toSorted(byText)).toEqual(role.DataActions.toSorted(byText))
    }
    expect(dataActionsOf('importer')).toEqual(onKeys('import/action', 'read', 'sign/action'))
    expect(dataActionsOf('provisioner')).toEqual([
      'Microsoft.KeyVault/vaults/keyrotationpolicies/read',
      ...onKeys('create/action', 'read', 'update/action'),
    ])
  })

  test('let the provisioner manage the kinds of resources that the Azure example has, and no other', async () => {
    const { Actions } = azureRole.parse(JSON.parse(reviewed('azure/provisioner.json')))
    const own = [await readModule('examples/azure'), await readModule(azureModule)]
    const types = own.flatMap(({ resource }) => Object.keys(resource))
    const managed = types.filter((type) => type !== 'azurerm_key_vault_key')
    const needed = managed.flatMap((type) =>
      ['delete', 'read', 'write'].map((action) => `${kindsInAzure[type]}/${action}`),
    )
    const readOnly = [
      'Microsoft.KeyVault/vaults/read',
      'Microsoft.Resources/subscriptions/resourceGroups/read',
    ]
    expect(needed).toHaveLength(12)
    expect(Actions).toEqual(
      [...needed, ...readOnly].toSorted((one, other) => (one < other ? -1 : 1)),
    )
  })

  test('let the provisioner let others sign in no way that the README says no alert for', () => {
    const { Actions } = azureRole.parse(JSON.parse(reviewed('azure/provisioner.json')))
    // An identity by itself may nothing.
    const own = 'Microsoft.ManagedIdentity/userAssignedIdentities/write'
    const opening = Actions.filter((action) => action.endsWith('/write') && action !== own)
    expect(opening).toHaveLength(3)
    const alerts = sectionOf('Who may what')
    expect(opening.filter((action) => !alerts.includes(`\`${action}\``))).toEqual([])
  })

  test.skipIf(noRunbooks !== undefined)(
    'are made by the commands of the README, for the resource group that is named',
    async () => {
      await using place = await workspace()
      const [, commands = ''] =
        /```bash\n(GROUP=[^]*?)```/.exec(
          readFileSync(resolve(terraformFolder, 'README.md'), 'utf8'),
        ) ?? []
      const owner = shell(place.root, place.env, { az: 'echo "$@" >> az.asked' })
      const group = '/subscriptions/00000000-0000-4000-8000-000000000009/resourceGroups/other'
      const { exitCode } = await owner.run(commands.replace(/GROUP=.*/, `GROUP=${group}`))
      expect(exitCode).toBe(0)
      expect(readFileSync(resolve(place.root, 'az.asked'), 'utf8').split('\n')).toEqual([
        'role definition create --role-definition @provisioner.json',
        'role definition create --role-definition @importer.json',
        expect.stringMatching(
          `^role assignment create --role Chancery provisioner --scope ${group} `,
        ),
        '',
      ])
      for (const identity of ['provisioner', 'importer']) {
        const made = readFileSync(resolve(place.root, `${identity}.json`), 'utf8')
        const file = azureRole.parse(JSON.parse(reviewed(`azure/${identity}.json`)))
        expect(JSON.parse(made)).toEqual({ ...file, AssignableScopes: [group] })
      }
    },
  )
})

const azureModule = 'modules/azure-key-vault-signing-key'
/** https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations */
const kindsInAzure: Readonly<Record<string, string>> = {
  azurerm_role_assignment: 'Microsoft.Authorization/roleAssignments',
  azurerm_role_definition: 'Microsoft.Authorization/roleDefinitions',
  azurerm_user_assigned_identity: 'Microsoft.ManagedIdentity/userAssignedIdentities',
  azurerm_federated_identity_credential:
    'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials',
}

/** As `az role definition create` takes it: https://learn.microsoft.com/azure/role-based-access-control/custom-roles */
const azureRole = z.strictObject({
  Name: z.string(),
  Description: z.string(),
  Actions: z.array(z.string()),
  NotActions: z.tuple([]),
  DataActions: z.array(z.string()),
  NotDataActions: z.tuple([]),
  AssignableScopes: z.array(z.string()),
})

function byText(one: string, other: string): number {
  return one.localeCompare(other)
}
