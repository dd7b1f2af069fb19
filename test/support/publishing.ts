import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { createApp, createToken } from '../../src/registry/server/desk.ts'
import { openRegistryStore } from '../../src/registry/server/store/store.ts'
import type { StartOptions } from './chancery.ts'
import type { Home } from './home.ts'
import type { RegistryHome, ServingRegistry } from './registry-home.ts'
import { jwksPath } from './registry.ts'

/** A key that an app of the registry knows, by the key's own name unless told. */
export type AppKeySetting = {
  readonly name: string
  readonly app?: string
  readonly alg?: string
  readonly profile?: string
  readonly issuer?: string
  /** More members, each with a comma before it. */
  readonly more?: string
}

/** A service's home beside a registry that runs: separate processes, and only HTTP between them. */
export type Publishing = {
  readonly home: Home
  readonly registry: ServingRegistry
  /** The registry's database. */
  readonly registryFile: string
  readonly token: string
  readonly tokenFile: string
  readonly jwksUrl: (app: string) => string
  readonly jwksKids: (app: string) => Promise<readonly string[]>
  /** The same, of a registry that was started again. */
  readonly jwksKidsAt: (url: string) => Publishing['jwksKids']
}

/** @param options of the registry's process. */
export async function publishing(
  home: Home,
  registryHome: RegistryHome,
  keys: readonly AppKeySetting[],
  options?: StartOptions,
): Promise<Publishing> {
  const registry = await registryHome.serve(options)
  const registryFile = join(registryHome.directory, 'var', 'registry.db')
  const token = await fill(registryFile, [...new Set(keys.map(({ app, name }) => app ?? name))])
  const tokenFile = home.at('registry.token')
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 })
  configure(home, registry.url, keys)
  const jwksUrl = (app: string) => `${registry.url}${jwksPath(app)}`
  return {
    home,
    registry,
    registryFile,
    token,
    tokenFile,
    jwksUrl,
    jwksKids: kidsAt(registry.url),
    jwksKidsAt: kidsAt,
  }
}

function kidsAt(url: string): Publishing['jwksKids'] {
  return async (app) => {
    const answer = jwks.parse(await (await fetch(`${url}${jwksPath(app)}`)).json())
    return answer.keys.map(({ kid }) => kid)
  }
}

const jwks = z.object({ keys: z.array(z.object({ kid: z.string() })) })

/** Of organization acme, behind the back of the server that runs. @returns an admin's token. */
export async function fill(file: string, apps: readonly string[]): Promise<string> {
  await using store = await openRegistryStore(file)
  const desk = { store, actor: 'ops@host', now: 1 }
  for (const app of apps) await createApp(desk, 'acme', app)
  return await createToken(desk, 'acme', 'admin')
}

/** Replaces every key that `init` made, and its grant. */
function configure(home: Home, url: string, keys: readonly AppKeySetting[]): void {
  const text = readFileSync(home.configFile, 'utf8')
  const head = text.slice(0, text.indexOf('keys:\n'))
  const callers = text.slice(text.indexOf('callers:\n'), text.indexOf('grants:\n'))
  const registries = `registries:\n  apps: { type: embedded, url: ${url}, organization: acme, tokenFile: ./var/registry.token }\n`
  const parts = [head, registries, 'keys:\n', ...keys.map(keyLine), callers, 'grants:\n']
  writeFileSync(home.configFile, [...parts, ...keys.map(grantLines)].join(''))
}

export function keyLine(setting: AppKeySetting): string {
  const { name, app = name, alg = 'ES256', profile = 'generic-jwt', more = '' } = setting
  const { issuer = 'https://acme.example' } = setting
  // One version alone, unless a test says otherwise.
  const rotation = more.includes('rotation:') ? '' : ', rotation: { standby: 0 }'
  const settings = `profile: { name: ${profile}, issuer: ${issuer} }`
  return `  ${name}: { vault: local, alg: ${alg}, ${settings}, registry: { name: apps, app: ${app} }${rotation}${more} }\n`
}

function grantLines({ name, profile = 'generic-jwt' }: AppKeySetting): string {
  const claims =
    profile === 'generic-jwt' ? ', maxLifetime: 15m, claims: { sub: { text: 200 } }' : ''
  const operations = 'operations: [sign-claims, read-fingerprint]'
  return `  - { caller: first-caller, key: ${name}, ${operations}${claims} }\n`
}
