import type { PublicKey } from '../signing/public-key.ts'
import { contentfulJwk } from './contentful.ts'

/** Of Contentful's organization and app, and the versions that its verifiers see. */
export type TerraformKeys = {
  readonly key: string
  readonly organization: string
  readonly app: string
  readonly versions: readonly { readonly n: number; readonly publicKey: PublicKey }[]
}

/**
 * HCL for the provider `cysp/contentful`, whose `contentful_app_key` is the one resource there is for
 * app keys: https://registry.terraform.io/providers/cysp/contentful/latest/docs/resources/app_key
 * What is registered already is imported: creating it again would be refused as a duplicate.
 */
export function contentfulTerraform({ key, organization, app, versions }: TerraformKeys): string {
  return versions
    .map(({ n, publicKey }) => block(`${key}-${n}`, { organization, app, publicKey }))
    .join('\n')
}

function block(
  name: string,
  {
    organization,
    app,
    publicKey,
  }: Pick<TerraformKeys, 'organization' | 'app'> & { readonly publicKey: PublicKey },
): string {
  const { alg, kty, use, kid, x5t, x5c } = contentfulJwk(publicKey)
  return `import {
  to = contentful_app_key.${name}
  id = "${organization}/${app}/${kid}"
}

resource "contentful_app_key" "${name}" {
  organization_id   = "${organization}"
  app_definition_id = "${app}"

  jwk = {
    alg = "${alg}"
    kty = "${kty}"
    use = "${use}"
    kid = "${kid}"
    x5t = "${x5t}"
    x5c = ["${x5c[0]}"]
  }
}
`
}
