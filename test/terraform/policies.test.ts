import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Cloud } from '../../terraform/testing/cloud.ts'
import { noTerraform, terraformFolder, type Workspace, workspace } from '../support/terraform.ts'

/** All that each identity may do, in one file; a permission that appears changes the file. */

const statement = z.strictObject({
  Sid: z.string(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z
    .union([
      z.strictObject({ AWS: z.array(z.string()) }),
      z.strictObject({ Federated: z.string() }),
    ])
    .optional(),
  Action: z.union([z.string(), z.array(z.string())]),
  Resource: z.union([z.string(), z.array(z.string())]).optional(),
  Condition: z.record(z.string(), z.unknown()).optional(),
})
const policy = z.strictObject({ Version: z.literal('2012-10-17'), Statement: z.array(statement) })
const rendered = z.object({
  aws: z.object({
    value: z.object({
      identities: z.record(z.string(), z.object({ trust: policy, policy })),
      keys: z.record(z.string(), policy),
    }),
  }),
  azure: z.object({
    value: z.object({
      roles: z.record(z.string(), z.array(z.string())),
      assignments: z.record(
        z.string(),
        z.array(z.object({ principal: z.string(), role: z.string() })),
      ),
    }),
  }),
})
type Rendered = z.infer<typeof rendered>
type Statement = z.infer<typeof statement>

const awsIdentities = ['signer', 'rotator', 'importer', 'provisioner', 'auditor'] as const
const principals = {
  signer: '00000000-0000-4000-8000-00000000000a',
  rotator: '00000000-0000-4000-8000-00000000000b',
  auditor: '00000000-0000-4000-8000-00000000000c',
} as const

const vaultId =
  '/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/chancery/providers/Microsoft.KeyVault/vaults/acme-chancery'

/** Names what is made as the real ones would; nothing is made. */
const namingCloud: Cloud = {
  create(type, { name, path }) {
    const key = `${vaultId}/keys/${String(name)}`
    const arn = `arn:aws:iam::111122223333:role${String(path)}${String(name)}`
    return type === 'aws_iam_role'
      ? { arn, id: name, unique_id: 'AROAEXAMPLE' }
      : { id: key, resource_versionless_id: key, role_definition_resource_id: key }
  },
  change: () => undefined,
  refresh: () => ({}),
  read: () => ({
    id: vaultId,
    rbac_authorization_enabled: true,
    purge_protection_enabled: true,
    sku_name: 'standard',
  }),
}

describe.skipIf(noTerraform !== undefined)('the rendered policies', () => {
  let place: Workspace
  let aws: Rendered['aws']['value']
  let azure: Rendered['azure']['value']

  beforeAll(async () => {
    place = await workspace(namingCloud)
    const folder = 'testing/review'
    await place.done(folder, ['init'])
    await place.done(folder, ['apply', '-auto-approve'])
    const stdout = await place.done(folder, ['output', '-json'])
    const outputs = rendered.parse(JSON.parse(stdout))
    aws = outputs.aws.value
    azure = outputs.azure.value
  })

  afterAll(() => place[Symbol.asyncDispose]())

  test.each(awsIdentities)('of the %s in AWS are as they were reviewed', async (identity) => {
    const own = aws.identities[identity]
    const onKeys = Object.entries(aws.keys).map(([name, { Statement }]) => {
      return [name, Statement.filter((one) => concerns(one, identity))]
    })
    const document = { identity, ...own, on_keys: Object.fromEntries(onKeys) }
    await expect(printed(document)).toMatchFileSnapshot(snapshot('aws', identity))
  })

  test('of the account’s own administrators are as they were reviewed', async () => {
    const onKeys = Object.entries(aws.keys).map(([name, { Statement }]) => {
      return [name, Statement.filter((one) => concerns(one, 'account'))]
    })
    const document = { identity: 'account', on_keys: Object.fromEntries(onKeys) }
    await expect(printed(document)).toMatchFileSnapshot(snapshot('aws', 'account'))
  })

  test.each(['signer', 'rotator', 'auditor'] as const)(
    'of the %s in Azure are as they were reviewed',
    async (identity) => {
      const roles = Object.entries(azure.assignments).map(([generation, assigned]) => {
        const held = assigned.filter(({ principal }) => principal === principals[identity])
        return [generation, held.map(({ role }) => ({ role, data_actions: azure.roles[role] }))]
      })
      const document = { identity, actions: [], on_keys: Object.fromEntries(roles) }
      await expect(printed(document)).toMatchFileSnapshot(snapshot('azure', identity))
    },
  )

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
      'importer ProveThatItArrived',
      'importer FindByTag',
      'provisioner CreateSigningKeys',
      'provisioner TagThemAsTheyAreMade',
      'provisioner NameThem',
      'provisioner SeeAliases',
    ])
    const all = [...own.map(({ one }) => one), ...Object.values(aws.keys).flatMap(allowsOfPolicy)]
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
    const withKeys = Object.values(aws.keys).flatMap(allowsOfPolicy)
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
  })
})

test('the roles in Azure allow nothing that the provider for Key Vault does not ask for', () => {
  const client = readFileSync(
    resolve(terraformFolder, '../providers/azure-key-vault/client.ts'),
    'utf8',
  )
  const asked = new Set([...client.matchAll(/call\(\s*'([\w/]+)'/g)].map(([, action]) => action))
  const granted = ['signer', 'rotator', 'auditor'].flatMap((identity) => {
    const text = readFileSync(snapshot('azure', identity), 'utf8')
    return [...text.matchAll(/"Microsoft\.KeyVault\/vaults\/keys\/([\w/]+)"/g)].map(
      ([, action]) => action,
    )
  })
  expect(new Set(granted)).toEqual(new Set(['read', 'sign/action', 'update/action']))
  expect(granted.filter((action) => !asked.has(action))).toEqual([])
})

/** A statement of a key's policy that allows this identity something, or denies everybody. */
function concerns({ Principal, Effect }: Statement, identity: string): boolean {
  const names = Principal && 'AWS' in Principal ? Principal.AWS : []
  const ending = identity === 'account' ? ':root' : `-${identity}`
  return Effect === 'Deny' || names.some((name) => name.endsWith(ending))
}

function allowsOf(statements: readonly Statement[]): readonly Statement[] {
  return statements.filter(({ Effect }) => Effect === 'Allow')
}

function allowsOfPolicy({ Statement }: { readonly Statement: readonly Statement[] }) {
  return allowsOf(Statement)
}

function actionsOf(aws: Rendered['aws']['value'], identity: string): readonly string[] {
  const own = aws.identities[identity]?.policy.Statement ?? []
  const onKeys = Object.values(aws.keys).flatMap(allowsOfPolicy)
  const all = [...allowsOf(own), ...onKeys.filter((one) => concerns(one, identity))]
  return [...new Set(all.flatMap(({ Action }) => Action))]
}

function byText(one: string, other: string): number {
  return one.localeCompare(other)
}

function snapshot(cloud: string, identity: string): string {
  return join(terraformFolder, 'policies', cloud, `${identity}.json`)
}

function printed(document: unknown): string {
  return `${JSON.stringify(document, undefined, 2)}\n`
}
