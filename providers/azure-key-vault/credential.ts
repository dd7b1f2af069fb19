import {
  AzureCliCredential,
  ClientCertificateCredential,
  ManagedIdentityCredential,
  WorkloadIdentityCredential,
} from '@azure/identity'
import { readFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { ServiceError } from '../../src/errors.ts'
import { decodeUtf8 } from '../../src/lib/bytes.ts'
import { readMountedSecret } from '../../src/lib/file.ts'
import { authorityOf, type AzureKeyVaultConfig, tokenFileOf } from './config.ts'
import type { TokenSource } from './tokens.ts'

/** A certificate, its chain and its key. */
const certificateBytesMax = 65_536

/** A command of the developer's own, which starts Python. */
const cliTimeoutMs = 5_000

/**
 * What opens the one credential class that the configuration names; each that it opens has asked nobody, and
 * remembers nothing.
 *
 * @param ca who vouches for an emulator.
 * @throws {ServiceError} `config_invalid` for a certificate file that cannot be used.
 */
export async function credentialOpener(
  config: AzureKeyVaultConfig,
  ca: string | undefined,
): Promise<() => TokenSource> {
  const { credential, tenantId = '', clientId = '', certificateFile } = config
  const isEmulator = config.authorityHost !== undefined
  // Made anew for each: the SDK writes into them.
  const common = () => ({
    authorityHost: authorityOf(config),
    retryOptions: { maxRetries: 0 },
    disableInstanceDiscovery: isEmulator,
    ...(ca === undefined ? {} : { tlsOptions: { ca } }),
  })
  // Whoever brings an agent is sent through no proxy of the environment.
  const agent = new Agent({ keepAlive: true, ...(ca === undefined ? {} : { ca }) })
  switch (credential) {
    case 'azure-cli':
      return () =>
        new AzureCliCredential({
          processTimeoutInMs: cliTimeoutMs,
          ...(tenantId === '' ? {} : { tenantId }),
        })
    case 'managed-identity':
      return () =>
        new ManagedIdentityCredential({ ...common(), ...(clientId === '' ? {} : { clientId }) })
    case 'workload-identity': {
      const tokenFilePath = tokenFileOf(config)
      return () =>
        new WorkloadIdentityCredential({ ...common(), agent, tenantId, clientId, tokenFilePath })
    }
    case 'client-certificate': {
      const certificate = await readCertificate(certificateFile ?? '')
      return () =>
        new ClientCertificateCredential(tenantId, clientId, { certificate }, { ...common(), agent })
    }
  }
}

/** @throws {ServiceError} `config_invalid`. */
async function readCertificate(path: string): Promise<string> {
  const pem = decodeUtf8(await readMountedSecret(path, certificateBytesMax))
  const parts = [/-BEGIN CERTIFICATE-/, /-BEGIN (?:RSA |EC )?PRIVATE KEY-/]
  if (parts.every((part) => part.test(pem))) return pem
  throw new ServiceError('config_invalid', `${path} is not a PEM certificate with its private key`)
}

/** Who vouches for an emulator; no secret. @throws {ServiceError} `config_invalid`. */
export async function readAuthorities(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new ServiceError('config_invalid', `${path} cannot be read: correct caFile`, { cause })
  }
}
