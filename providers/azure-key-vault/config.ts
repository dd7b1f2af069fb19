import { z } from 'zod'
import { configuredDestination } from '../../src/lib/destination.ts'
import { requestLimits } from '../../src/lib/request-limits.ts'
import { type Algorithm, type AlgorithmName, signsHash } from '../../src/signing/algorithms.ts'

/**
 * Where vaults are, and who gives tokens for them.
 * https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#dns-suffixes-for-object-identifiers
 * https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
 */
const clouds = [
  { domain: 'vault.azure.net', authority: 'https://login.microsoftonline.com' },
  { domain: 'vault.usgovcloudapi.net', authority: 'https://login.microsoftonline.us' },
  { domain: 'vault.azure.cn', authority: 'https://login.chinacloudapi.cn' },
] as const

/** Where the workload identity webhook mounts it: https://azure.github.io/azure-workload-identity/docs */
const tokenFileDefault = '/var/run/secrets/azure/tokens/azure-identity-token'

const members = ['tenantId', 'clientId', 'certificateFile', 'tokenFile'] as const
type Member = (typeof members)[number]

/**
 * What each class of @azure/identity has to be told, and what it may be told.
 * https://learn.microsoft.com/javascript/api/overview/azure/identity-readme#credential-classes
 */
const credentials = {
  'workload-identity': { needs: ['tenantId', 'clientId'], takes: ['tokenFile'] },
  'managed-identity': { needs: [], takes: ['clientId'] },
  'client-certificate': { needs: ['tenantId', 'clientId', 'certificateFile'], takes: [] },
  'azure-cli': { needs: [], takes: ['tenantId'] },
} as const satisfies Record<string, { needs: readonly Member[]; takes: readonly Member[] }>

const credentialNames = [
  'workload-identity',
  'managed-identity',
  'client-certificate',
  'azure-cli',
] as const satisfies readonly (keyof typeof credentials)[]

/** Azure Key Vault: one vault, and the one credential that opens it. Never a chain of guesses. */
export const azureKeyVaultConfig = z
  .strictObject({
    provider: z.literal('azure-key-vault'),
    vaultUrl: z.string().max(2_048),
    credential: z.enum(credentialNames),
    /** The directory that knows the identity: its id, or one of its domains. */
    tenantId: z
      .string()
      .regex(/^[\da-z](?:[\da-z.-]{0,251}[\da-z])?$/i, 'the id of a tenant, or its domain')
      .optional(),
    /** The application's, or a user-assigned identity's. */
    clientId: z
      .string()
      .regex(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i, 'the id of an application, a GUID')
      .optional(),
    /** PEM: the certificate and its private key. 0600, or refused. */
    certificateFile: z.string().min(1).optional(),
    tokenFile: z.string().min(1).optional(),
    /** Of an emulator. It also turns off the SDK's check that a challenge is for the vault's domain. */
    authorityHost: z.string().max(2_048).optional(),
    /** PEM: who vouches for the emulator. */
    caFile: z.string().min(1).optional(),
    /** New and imported keys are kept in HSMs, for which the vault must be a premium one. */
    hsm: z.boolean().default(false),
    ...requestLimits,
  })
  .superRefine(assertCredential)
  .superRefine(assertPlaces)

export type AzureKeyVaultConfig = z.infer<typeof azureKeyVaultConfig>

/** https://learn.microsoft.com/azure/key-vault/keys/about-keys: HMAC is Managed HSM's, Ed25519 nobody's. */
export const azureSignsNot = [
  'EdDSA',
  'HS256',
  'HS384',
  'HS512',
] as const satisfies readonly AlgorithmName[]

/** It signs nothing else: the message never gets there. */
export function azureSignsDigests(algorithm: Algorithm): boolean {
  return signsHash(algorithm)
}

/** Who gives the tokens; an emulator's own, where one is configured. */
export function authorityOf({ vaultUrl, authorityHost }: AzureKeyVaultConfig): string {
  if (authorityHost !== undefined) return new URL(authorityHost).origin
  const found = clouds.find(({ domain }) => new URL(vaultUrl).hostname.endsWith(`.${domain}`))
  return (found ?? clouds[0]).authority
}

/**
 * What tokens may be good for: vaults, and an emulator by its own name. With an emulator the SDK follows any
 * challenge, and would hand it a real identity's token for whatever it asks for.
 */
export function tokenScopes({ vaultUrl, authorityHost }: AzureKeyVaultConfig): readonly string[] {
  const vaults = clouds.map(({ domain }) => `https://${domain}/.default`)
  return authorityHost === undefined ? vaults : [...vaults, `${new URL(vaultUrl).origin}/.default`]
}

export function tokenFileOf({ tokenFile = tokenFileDefault }: AzureKeyVaultConfig): string {
  return tokenFile
}

type Settings = Readonly<
  Partial<Record<Member | 'authorityHost' | 'caFile', string | undefined>>
> & {
  readonly vaultUrl: string
  readonly credential: keyof typeof credentials
}

function assertCredential(settings: Settings, context: z.RefinementCtx): void {
  const { credential } = settings
  const needs: readonly Member[] = credentials[credential].needs
  const takes: readonly Member[] = credentials[credential].takes
  for (const member of members) {
    const isThere = settings[member] !== undefined
    if (needs.includes(member) && !isThere) {
      complain(context, member, `missing: ${credential} needs it`)
    } else if (isThere && !needs.includes(member) && !takes.includes(member)) {
      complain(context, member, `${credential} has no use for it: remove it`)
    }
  }
}

/** Real vaults have real authorities: neither is asked in the name of an emulator's other half. */
function assertPlaces(settings: Settings, context: z.RefinementCtx): void {
  const { vaultUrl, authorityHost, caFile } = settings
  if (authorityHost === undefined) {
    if (!isVault(vaultUrl)) {
      const message = 'the address of a vault, like https://acme.vault.azure.net'
      complain(context, 'vaultUrl', message)
    }
    if (caFile !== undefined) {
      complain(context, 'caFile', 'for an emulator, which has an authorityHost, too: remove it')
    }
    return
  }
  for (const [member, url] of Object.entries({ vaultUrl, authorityHost })) {
    if (isLoopback(url)) continue
    const message = 'of an emulator: https on a loopback address, like https://127.0.0.1:8443'
    complain(context, member, message)
  }
}

/** https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftkeyvault */
const vaultName = /^[a-z](?:-?[a-z\d]){2,23}$/i

function isVault(text: string): boolean {
  const url = bareUrl(text)
  if (url?.protocol !== 'https:' || url.port !== '') return false
  return clouds.some(({ domain }) => {
    const suffix = `.${domain}`
    return url.hostname.endsWith(suffix) && vaultName.test(url.hostname.slice(0, -suffix.length))
  })
}

function isLoopback(text: string): boolean {
  const verdict = configuredDestination(text)
  return (
    'kinds' in verdict && verdict.kinds.includes('loopback') && bareUrl(text)?.protocol === 'https:'
  )
}

/** Scheme, host and port, and nothing else. */
function bareUrl(text: string): URL | undefined {
  const verdict = configuredDestination(text)
  if ('refused' in verdict || verdict.url.pathname !== '/' || verdict.url.search !== '')
    return undefined
  return verdict.url
}

function complain(context: z.RefinementCtx, member: string, message: string): void {
  context.addIssue({ code: 'custom', path: [member], message })
}
