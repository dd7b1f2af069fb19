import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Cloud } from '../../terraform/testing/cloud.ts'
import { azurePolicies, resourcesIn } from './terraform-azure-policies.ts'
import { terraformFolder, type Workspace } from './terraform.ts'

/** What `terraform/testing/review` renders: every identity, every state, every kind of key. */

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
})
type Rendered = z.infer<typeof rendered>
export type AwsPolicies = Rendered['aws']['value']
export type Statement = z.infer<typeof statement>

export const awsIdentities = ['signer', 'rotator', 'importer', 'provisioner', 'auditor'] as const
const vaultId =
  '/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/chancery/providers/Microsoft.KeyVault/vaults/acme-chancery'

const roleDefinitions = `${vaultId.split('/resourceGroups')[0]}/providers/Microsoft.Authorization/roleDefinitions`

/** Names what is made as the real ones would; nothing is made. */
export const namingCloud: Cloud = {
  create(type, { name, path }) {
    const key = `${vaultId}/keys/${String(name)}`
    const arn = `arn:aws:iam::111122223333:role${String(path)}${String(name)}`
    return type === 'aws_iam_role'
      ? { arn, id: name, unique_id: 'AROAEXAMPLE' }
      : {
          id: key,
          resource_versionless_id: key,
          role_definition_resource_id: `${roleDefinitions}/${String(name)}`,
        }
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

export type Rendering = {
  readonly aws: AwsPolicies
  /** Of everything that Terraform made, the kinds. */
  readonly types: readonly string[]
  /** By the path below `policies`, what is reviewed. */
  readonly files: Readonly<Record<string, string>>
}

/** In a workspace with the cloud that only names. */
export async function renderPolicies(place: Workspace): Promise<Rendering> {
  const folder = 'testing/review'
  await place.done(folder, ['init'])
  await place.done(folder, ['apply', '-auto-approve'])
  const outputs = rendered.parse(JSON.parse(await place.done(folder, ['output', '-json'])))
  const aws = outputs.aws.value
  const resources = resourcesIn(JSON.parse(await place.done(folder, ['show', '-json'])))
  const inAws = [...awsIdentities, 'recoverer'].map((identity) => [
    `aws/${identity}.json`,
    printed({ identity, ...aws.identities[identity], on_keys: statementsFor(aws, identity) }),
  ])
  const inAzure = Object.entries(azurePolicies(resources)).map(([file, document]) => {
    return [file, printed(document)]
  })
  const types = [...new Set(resources.map(({ type }) => type))].toSorted((a, b) => (a < b ? -1 : 1))
  return { aws, types, files: Object.fromEntries([...inAws, ...inAzure]) }
}

export function reviewed(file: string): string {
  return readFileSync(reviewedFile(file), 'utf8')
}

export function reviewedFile(file: string): string {
  return join(terraformFolder, 'policies', file)
}

function statementsFor({ keys }: AwsPolicies, identity: string): object {
  const concerned = Object.entries(keys).map(([name, { Statement }]) => {
    return [name, Statement.filter((one) => concerns(one, identity))]
  })
  return Object.fromEntries(concerned)
}

function printed(document: unknown): string {
  return `${JSON.stringify(document, undefined, 2)}\n`
}

/** A statement of a key's policy that allows this identity something, or denies everybody. */
export function concerns({ Principal, Effect }: Statement, identity: string): boolean {
  const names = Principal && 'AWS' in Principal ? Principal.AWS : []
  const ending = identity === 'recoverer' ? ':role/break-glass' : `-${identity}`
  return Effect === 'Deny' || names.some((name) => name.endsWith(ending))
}

export function allowsOf(statements: readonly Statement[]): readonly Statement[] {
  return statements.filter(({ Effect }) => Effect === 'Allow')
}

export function allowsOnKeys({ keys }: AwsPolicies): readonly Statement[] {
  return Object.values(keys).flatMap(({ Statement }) => allowsOf(Statement))
}

/** By its own policy, and by those of the keys. */
export function actionsOf(aws: AwsPolicies, identity: string): readonly string[] {
  const own = allowsOf(aws.identities[identity]?.policy.Statement ?? [])
  const onKeys = allowsOnKeys(aws).filter((one) => concerns(one, identity))
  return [...new Set([...own, ...onKeys].flatMap(({ Action }) => Action))]
}
