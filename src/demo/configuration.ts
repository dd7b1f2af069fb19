import { readFile, writeFile } from 'node:fs/promises'

/** What `callers new-key` printed. */
export type ApiKey = { readonly apiKey: string; readonly id: string; readonly sha256: string }

/** Keys of every kind; small RSA, so that making them takes no time. */
const keys = `
keys:
  reports: { vault: local, alg: ES256, profile: { name: generic-jwt, issuer: https://acme.example } }
  bot: { vault: local, alg: RS256, modulusBits: 2048, profile: { name: github-app, issuer: Iv23liDemo } }
  partner:
    vault: local
    alg: PS256
    modulusBits: 2048
    profile: { name: client-assertion, clientId: acme, audience: https://login.example }
  documents: { vault: local, alg: EdDSA, purpose: bytes }
`

/** Rewrites what `init` wrote: free ports, the keys above, two callers, and what each may do. */
export async function extendConfiguration(
  file: string,
  { app, stranger }: { readonly app: ApiKey; readonly stranger: ApiKey },
): Promise<void> {
  const initial = await readFile(file, 'utf8')
  const head = initial.slice(0, initial.indexOf('keys:'))
  const listen = head
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:0')
    .replace('listen:', 'listen:\n  drainDelay: 1s')
  await writeFile(file, `${listen}${keys}${callers(app, stranger)}${grants}`)
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
  - { caller: app, key: partner, operations: [sign-claims, read-fingerprint] }
  - { caller: app, key: documents, operations: [sign-message, read-fingerprint] }
  - { caller: stranger, key: documents, operations: [read-fingerprint] }
`
