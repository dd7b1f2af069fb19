import { ServiceError } from '../../src/errors.ts'
import { authorityOf, type AzureKeyVaultConfig } from './config.ts'

/**
 * What the SDK would obey, or somebody meant it to: https://learn.microsoft.com/javascript/api/overview/azure/identity-readme#environment-variables
 * Whoever set them meant something: they are not ignored in silence.
 */
const strays: Readonly<Record<string, string>> = {
  ALL_PROXY: 'give this process a way to the vault without a proxy',
  HTTPS_PROXY: 'give this process a way to the vault without a proxy',
  HTTP_PROXY: 'give this process a way to the vault without a proxy',
  AZURE_LOG_LEVEL: 'the log is Chancery’s own, and the SDK would write beside it',
  AZURE_POD_IDENTITY_AUTHORITY_HOST: 'use credential: workload-identity',
  AZURE_REGIONAL_AUTHORITY_NAME: 'the authority is the one of the vault’s cloud',
  AZURE_TOKEN_CREDENTIALS: 'the configuration names the credential',
  MSAL_FORCE_REGION: 'the authority is the one of the vault’s cloud',
}

/** With it, the class for managed identities becomes another one. */
const federated = 'AZURE_FEDERATED_TOKEN_FILE'

/** @throws {ServiceError} `config_invalid` for an environment that would have requests go elsewhere. */
export function assertEnvironment(
  config: AzureKeyVaultConfig,
  environment: (name: string) => string | undefined,
): void {
  const valueOf = (name: string) =>
    environment(name) || environment(name.toLowerCase()) || undefined
  for (const [name, remedy] of Object.entries(strays)) {
    if (valueOf(name) !== undefined) throw refusal(name, remedy)
  }
  if (config.credential === 'managed-identity' && valueOf(federated) !== undefined) {
    throw refusal(federated, 'use credential: workload-identity')
  }
  // The workload identity webhook sets it, to what is used in any case.
  const authority = 'AZURE_AUTHORITY_HOST'
  const host = valueOf(authority)
  if (host === undefined || URL.parse(host)?.origin === authorityOf(config)) return
  throw refusal(authority, `tokens for this vault are from ${authorityOf(config)}`)
}

function refusal(name: string, remedy: string): ServiceError {
  const message = `${name} is set, and only the configuration says where a vault is and who opens it: unset it (${remedy})`
  return new ServiceError('config_invalid', message)
}
