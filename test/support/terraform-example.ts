import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type Catalogue, catalogueSchema } from '../../src/keys/catalogue.ts'
import type { Workspace } from './terraform.ts'

/** What an administrator applies, and what the provisioner does. */
export const identitiesRoot = 'examples/aws/identities'
export const keysRoot = 'examples/aws/keys'

/**
 * The AWS example, applied as its documents say: the identities first, their output handed to the keys, the
 * catalogue that the first apply writes laid beside them.
 */
export async function applyExample(place: Workspace, environment: string): Promise<Catalogue> {
  for (const root of [identitiesRoot, keysRoot]) {
    writeFileSync(join(place.root, root, 'own.auto.tfvars'), `environment = "${environment}"\n`)
    await place.done(root, ['init'])
  }
  await place.done(identitiesRoot, ['apply', '-auto-approve'])
  const identities = await place.done(identitiesRoot, ['output', '-json', 'key_identities'])
  const handedOver = `{"identities": ${identities}}`
  writeFileSync(join(place.root, keysRoot, 'identities.auto.tfvars.json'), handedOver)
  await place.done(keysRoot, ['apply', '-auto-approve', '-var=first_apply=true'])
  const text = await catalogueText(place)
  writeFileSync(join(place.root, keysRoot, 'catalogue.json'), text)
  return catalogueSchema.parse(JSON.parse(text))
}

/** terraform output -json key_catalogue > catalogue.json */
export function catalogueText(place: Workspace): Promise<string> {
  return place.done(keysRoot, ['output', '-json', 'key_catalogue'])
}

const plan = z.object({
  resource_changes: z.array(
    z.object({ address: z.string(), change: z.object({ actions: z.array(z.string()) }) }),
  ),
})

/** What a plan of the keys would do to the vault: nothing, where this is empty. */
export async function plannedChanges(
  place: Workspace,
  ...options: readonly string[]
): Promise<readonly string[]> {
  await place.done(keysRoot, ['plan', '-out=now.plan', ...options])
  const { resource_changes } = plan.parse(
    JSON.parse(await place.done(keysRoot, ['show', '-json', 'now.plan'])),
  )
  if (resource_changes.length === 0) throw new Error('a plan of nothing at all')
  const changes = resource_changes.map(
    ({ address, change: { actions } }) => `${actions.join()} ${address}`,
  )
  return changes.filter((one) => !one.startsWith('no-op '))
}
