import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Cloud } from '../../terraform/testing/cloud.ts'
import { awsPolicies, type AwsPolicies } from './terraform-aws-policies.ts'
import { azurePolicies, resourcesIn } from './terraform-azure-policies.ts'
import { terraformFolder, type Workspace } from './terraform.ts'

/** What `terraform/testing/review` renders: every identity, every state, every kind of key. */

const vaultId =
  '/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/chancery/providers/Microsoft.KeyVault/vaults/acme-chancery'

const roleDefinitions = `${vaultId.split('/resourceGroups')[0]}/providers/Microsoft.Authorization/roleDefinitions`

/** Names what is made as the real ones would; nothing is made. */
export const namingCloud: Cloud = {
  create(type, { name, path, description }) {
    if (type === 'aws_iam_role') {
      const arn = `arn:aws:iam::111122223333:role${String(path)}${String(name)}`
      return { arn, id: name, unique_id: 'AROAEXAMPLE' }
    }
    if (type.startsWith('aws_')) {
      const id = String(description).toLowerCase().replaceAll(' ', '-')
      return { id, arn: `arn:aws:kms:eu-central-1:111122223333:key/${id}` }
    }
    const key = `${vaultId}/keys/${String(name)}`
    return {
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

const outputs = z.object({
  values: z.object({
    outputs: z.object({ states: z.object({ value: z.record(z.string(), z.string()) }) }),
  }),
})

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
  const state: unknown = JSON.parse(await place.done(folder, ['show', '-json']))
  const resources = resourcesIn(state)
  const aws = awsPolicies(resources, outputs.parse(state).values.outputs.states.value)
  const documents = { ...aws.files, ...azurePolicies(resources) }
  const files = Object.entries(documents).map(([file, document]) => [file, printed(document)])
  const types = [...new Set(resources.map(({ type }) => type))].toSorted((a, b) => (a < b ? -1 : 1))
  return { aws, types, files: Object.fromEntries(files) }
}

export function reviewed(file: string): string {
  return readFileSync(reviewedFile(file), 'utf8')
}

export function reviewedFile(file: string): string {
  return join(terraformFolder, 'policies', file)
}

function printed(document: unknown): string {
  return `${JSON.stringify(document, undefined, 2)}\n`
}
