import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Home, withKey } from './home.ts'

/** Keys that somebody else makes, as their users download them. */

export const dashboard = 'https://github.com/settings/apps/acme-bot'

/**
 * A configuration with a GitHub App, an ICR app and an API key, which the caller of `init` may use.
 *
 * @param secretsIn a vault that takes secrets, where the other one does not.
 */
export function withImportedKeys(text: string, vault = 'local', secretsIn = vault): string {
  const keys = [
    `bot: { vault: ${vault}, alg: RS256, source: imported, profile: { name: github-app, issuer: Iv23x }, registry: { type: manual, system: github, url: '${dashboard}' } }`,
    `icr: { vault: ${vault}, alg: RS256, source: imported, profile: { name: icr-app, issuer: icr-1 }, registry: { type: manual, system: icr, url: 'https://icr.example/apps/1' } }`,
    apiKeyKey('face', secretsIn),
    `seal: { vault: ${vault}, alg: ES256, source: imported, purpose: bytes }`,
  ]
  const grants = [
    '  - { caller: first-caller, key: bot, operations: [sign-claims] }',
    '  - { caller: first-caller, key: face, operations: [sign-claims], noExpiry: true }',
    '  - { caller: first-caller, key: seal, operations: [sign-message] }',
  ]
  return `${keys.reduce(withKey, text)}${grants.join('\n')}\n`
}

/** A key whose tokens name the portal's key ids. */
export function apiKeyKey(name: string, vault = 'local'): string {
  return `${name}: { vault: ${vault}, alg: HS256, source: imported, profile: { name: api-key-token } }`
}

/** As the portal shows it: once. @returns what the command prints. */
export async function importSecret(
  home: Home,
  key: string,
  keyId: string,
  secret: string,
  ...more: readonly string[]
): Promise<unknown> {
  const args = ['import', key, '--secret', '-', '--key-id', keyId, ...more]
  const { exitCode, document, stderr } = await home.json(args, { input: secret })
  if (exitCode !== 0) throw new Error(`import ends with ${exitCode}: ${stderr}`)
  return document
}

/** PKCS#1, as GitHub and ICR make it: by openssl, and by none of our code. */
export function downloadedPem(home: Home, name = 'downloaded.pem', bits = 2048): string {
  const pem = openssl(['genrsa', '-traditional', String(bits)])
  return put(home, name, pem)
}

/** A file that nobody else may read. @returns its path. */
export function put({ directory }: Home, name: string, content: string | Uint8Array): string {
  const path = join(directory, name)
  writeFileSync(path, content, { mode: 0o600 })
  return path
}

/** The command of GitHub's documentation for the fingerprint that its dashboard shows, but `SHA256:`. */
export function githubFingerprint(pem: string): string {
  return shell(
    'openssl rsa -in "$1" -pubout -outform DER 2>/dev/null | openssl sha256 -binary | openssl base64',
    pem,
  )
}

/** The command of ICR's documentation. */
export function icrFingerprint(pem: string): string {
  return shell(
    'openssl rsa -in "$1" -pubout 2>/dev/null | openssl sha256 -binary | openssl base64',
    pem,
  )
}

function shell(command: string, file: string): string {
  return execFileSync('sh', ['-c', command, 'sh', file], { encoding: 'utf8' }).trim()
}

function openssl(command: readonly string[]): string {
  return execFileSync('openssl', [...command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}
