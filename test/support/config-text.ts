import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ServiceConfig, vaultRules } from '../../src/compose/vaults.ts'
import { loadConfig } from '../../src/config/load.ts'
import { ServiceError } from '../../src/errors.ts'

/** Each member on a line of its own, so that a complaint's line can be told. */
export const goodConfig = `environment: dev
allowSoftwareKeys: true
store:
  sqlite: ./var/chancery.db
listen:
  sign:
    address: 127.0.0.1:8480
    behindProxy: false
  ops:
    address: 127.0.0.1:8481
  drainDelay: 5s
audit:
  digestKeyFile: ./var/audit-digest.key
vaults:
  local:
    provider: local
    directory: ./var/vault
    masterKeyFile: ./var/master.key
keys:
  reports:
    vault: local
    alg: ES256
    profile:
      name: generic-jwt
      issuer: https://acme.example
  bot:
    vault: local
    alg: RS256
    modulusBits: 2048
    profile: { name: github-app, issuer: Iv23li }
  documents:
    vault: local
    alg: HS256
    purpose: bytes
    source: generated
callers:
  blog:
    apiKeys:
      - id: AAAAAAAAAA
        sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  shop:
    apiKeys:
      - id: BBBBBBBBBB
        sha256: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
grants:
  - caller: blog
    key: reports
    operations: [sign-claims, read-fingerprint]
    maxLifetime: 15m
    limit: 20/s
    claims:
      sub:
        prefix: "tenant:"
  - caller: blog
    key: documents
    operations: [sign-message]
  - caller: shop
    key: bot
    operations: [sign-claims, sign-input]
`

export type Complaint = { readonly path: string; readonly message: string }

/** Loads a text as `chancery.yaml` in a directory of its own, which is gone afterwards. */
export function loadText(text: string): {
  readonly config: ServiceConfig
  readonly directory: string
} {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-config-'))
  const file = join(directory, 'chancery.yaml')
  try {
    writeFileSync(file, text)
    return { config: loadConfig(file, vaultRules), directory }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Everything that is said of a text, with `chancery.yaml:7` for its place; none of a good one. */
export function complaintsOf(text: string): readonly Complaint[] {
  try {
    loadText(text)
    return []
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'config_invalid') throw error
    return (error.details.issues ?? []).map(({ path, message }) => ({
      path,
      message: message.replace(/\(\/\S*\/(chancery\.yaml\S*)\)$/, '($1)'),
    }))
  }
}

/** The good configuration with one passage exchanged, which has to be there. */
export function changed(from: string, to: string, text = goodConfig): string {
  if (!text.includes(from)) throw new Error(`the text has no ${JSON.stringify(from)}`)
  return text.replace(from, () => to)
}

/** The line, counted from 1, on which a passage begins. */
export function lineOf(text: string, passage: string): number {
  const at = text.indexOf(passage)
  if (at < 0) throw new Error(`the text has no ${JSON.stringify(passage)}`)
  return text.slice(0, at).split('\n').length
}
