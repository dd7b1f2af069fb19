import { readFile, writeFile } from 'node:fs/promises'
import { organization } from './registry.ts'

/** What `callers new-key` printed. */
export type ApiKey = { readonly apiKey: string; readonly id: string; readonly sha256: string }

/** Of the GitHub App: what `iss` has to be. */
export const clientId = 'Iv23liDemo'

/** Keys of every kind: of the vault's own making, and of others'. */
const keys = `
keys:
  reports: { vault: local, alg: ES256, profile: { name: generic-jwt, issuer: https://acme.example } }
  bot:
    vault: local
    alg: RS256
    source: imported
    profile: { name: github-app, issuer: ${clientId} }
    registry: { type: manual, system: github, url: https://github.com/settings/apps/acme-bot }
  face-sdk: { vault: local, alg: HS256, source: imported, profile: { name: api-key-token } }
  partner: { vault: local, alg: ES384, profile: { name: client-assertion, clientId: acme, audience: https://login.example } }
  blog:
    vault: local
    alg: RS256 # RSA-4096: what Contentful takes
    profile: { name: contentful-app, issuer: blog }
    registry: { name: apps, app: blog }
    rotation: { propagation: 1s }
  documents: { vault: local, alg: EdDSA, purpose: bytes }
`

/** Rewrites what `init` wrote: free ports, the keys above, two callers, and what each may do. */
export async function extendConfiguration(
  file: string,
  { app, stranger }: { readonly app: ApiKey; readonly stranger: ApiKey },
  registry: { readonly url: string; readonly tokenFile: string },
): Promise<void> {
  const initial = await readFile(file, 'utf8')
  const head = initial.slice(0, initial.indexOf('keys:'))
  const listen = head
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:0')
    .replace('listen:', 'listen:\n  drainDelay: 1s')
  const sections = [listen, registries(registry), keys, callers(app, stranger), grants]
  await writeFile(file, sections.join(''))
}

function registries({
  url,
  tokenFile,
}: {
  readonly url: string
  readonly tokenFile: string
}): string {
  return `
registries:
  apps: { type: embedded, url: ${url}, organization: ${organization}, tokenFile: ${tokenFile} }
`
}

function callers(app: ApiKey, stranger: ApiKey): string {
  return `
callers:
  app: { apiKeys: [{ id: ${app.id}, sha256: ${app.sha256} }] }
  stranger: { apiKeys: [{ id: ${stranger.id}, sha256: ${stranger.sha256} }] }
`
}

const grants = `
grants:
  - caller: app
    key: reports
    operations: [sign-claims, sign-input, read-fingerprint]
    maxLifetime: 5m
    claims: { sub: { prefix: "tenant:" } }
  - { caller: app, key: bot, operations: [sign-claims, sign-input, read-fingerprint] }
  - { caller: app, key: face-sdk, operations: [sign-input, read-fingerprint], noExpiry: true }
  - { caller: app, key: partner, operations: [sign-claims, read-fingerprint] }
  - { caller: app, key: blog, operations: [sign-claims, read-fingerprint] }
  - { caller: app, key: documents, operations: [sign-message, read-fingerprint] }
  - { caller: stranger, key: documents, operations: [read-fingerprint] }
`
