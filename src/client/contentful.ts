import { accessToken, hostFor } from './access-token.ts'
import type { ChanceryClient } from './client.ts'
import { membersOf } from './json.ts'
import { segmentFor } from './options.ts'
import { surroundings, type Surroundings } from './surroundings.ts'

export type ContentfulInstallation = {
  readonly spaceId: string
  readonly environmentId: string
  /** The id of the app's definition: an installation has no other. */
  readonly appInstallationId: string
  /** `api.contentful.com` unless told; `api.eu.contentful.com` for data residency in the EU. */
  readonly host?: string
}

/**
 * Access tokens of an app where it is installed, in place of `getManagementToken` of
 * `@contentful/node-apps-toolkit`, which wants the private key. The function is an `accessToken` of
 * `contentful-management`.
 * https://www.contentful.com/developers/docs/references/content-management-api/#/reference/app-access-token
 *
 * @throws {ChanceryError} `bad_option`; the function: see `accessToken`.
 */
export function contentfulAppToken(
  client: ChanceryClient,
  key: string,
  {
    spaceId,
    environmentId,
    appInstallationId,
    host = 'api.contentful.com',
  }: ContentfulInstallation,
  around: Surroundings = surroundings,
): () => Promise<string> {
  const space = `spaces/${segmentFor(spaceId, 'spaceId')}`
  const environment = `environments/${segmentFor(environmentId, 'environmentId')}`
  const app = `app_installations/${segmentFor(appInstallationId, 'appInstallationId')}`
  return accessToken(around, client, key, {
    url: `${hostFor(host)}/${space}/${environment}/${app}/access_tokens`,
    headers: {},
    expiry: (members) => membersOf(members.get('sys')),
  })
}
