import { ServiceError } from '../errors.ts'
import type { Key } from '../keys/key.ts'
import { isVisible } from '../keys/lifecycle.ts'
import { contentfulTerraform } from '../registry/contentful-terraform.ts'
import { publicKeyFromSpki } from '../signing/public-key.ts'
import type { Store } from '../store/store.ts'
import { listVersionsOf } from '../store/versions.ts'

/** What of a registry's entry says where its keys are. */
export type TerraformRegistry = { readonly type: string; readonly organization: string }

/**
 * The app keys of one key as Terraform's resources, one for each version that verifiers see.
 *
 * @throws {ServiceError} `refused` for a key that is not Contentful's, or that it does not know yet.
 */
export async function terraformOf(
  { connection }: Store,
  { name, registry }: Key,
  registries: ReadonlyMap<string, TerraformRegistry>,
): Promise<string> {
  const entry = registry?.kind === 'app' ? registries.get(registry.registry) : undefined
  if (registry?.kind !== 'app' || entry?.type !== 'contentful') {
    const message = `${name} has no registry of type contentful: Terraform has a resource for no other`
    throw new ServiceError('refused', message)
  }
  const visible = (await listVersionsOf(connection, name)).filter(({ state }) => isVisible(state))
  const versions = visible.flatMap(({ n, spki }) =>
    spki ? [{ n, publicKey: publicKeyFromSpki(spki) }] : [],
  )
  if (versions.length > 0) {
    const { organization } = entry
    return contentfulTerraform({ key: name, organization, app: registry.app, versions })
  }
  throw new ServiceError(
    'refused',
    `${name} is not at Contentful yet: run \`chancery rotate ${name}\``,
  )
}
