import { accessToken, hostFor } from './access-token.ts'
import type { ChanceryClient } from './client.ts'
import { segmentFor } from './options.ts'
import { surroundings, type Surroundings } from './surroundings.ts'

export type IcrApp = {
  /** A token for what this installation's organization owns; without it a token of the app's own. */
  readonly installationId?: string
  /** `api.carbonregistry.com` unless told. */
  readonly host?: string
  /** `x-icr-api-version`; 2023-06-16 unless told. */
  readonly apiVersion?: string
}

/**
 * Access tokens of an app at the International Carbon Registry, as its documentation describes them;
 * never run against the registry itself.
 * https://documentation.carbonregistry.com/documentation/carbonregistry.com/apps-and-integrations/endpoints/endpoints-available-for-icr-apps
 *
 * @throws {ChanceryError} `bad_option`; the function: see `accessToken`.
 */
export function icrAccessToken(
  client: ChanceryClient,
  key: string,
  { installationId, host = 'api.carbonregistry.com', apiVersion = '2023-06-16' }: IcrApp = {},
  around: Surroundings = surroundings,
): () => Promise<string> {
  const installation =
    installationId === undefined
      ? ''
      : `/installations/${segmentFor(installationId, 'installationId')}`
  return accessToken(around, client, key, {
    url: `${hostFor(host)}/app${installation}/accessTokens`,
    headers: { 'x-icr-api-version': segmentFor(apiVersion, 'apiVersion') },
    expiry: (members) => members,
  })
}
