import { instant } from '../lib/clock.ts'
import type { Context } from './context.ts'
import type { RegistryRole, RegistryToken } from './host.ts'

export async function serveRegistry({ host, output, configFile }: Context): Promise<void> {
  await host.serveRegistry(configFile, (url) => output.result([`listening: ${url}`], { url }))
}

export async function createApp(
  { host, output, configFile }: Context,
  organization: string,
  name: string,
): Promise<void> {
  await using registry = await host.openRegistry(configFile, true)
  const app = await registry.createApp(organization, name)
  output.result([app], { organization, app })
}

export async function listApps(
  { host, output, configFile }: Context,
  organization: string | undefined,
): Promise<void> {
  await using registry = await host.openRegistry(configFile, false)
  const apps = await registry.listApps(organization)
  const lines = apps.map(
    ({ id, keys, ...app }) =>
      `${app.organization}  ${keys} ${keys === 1 ? 'key' : 'keys'}  created ${instant(app.createdAt)}  ${id}`,
  )
  const documents = apps.map(({ id: app, keys, ...facts }) => ({
    organization: facts.organization,
    app,
    keys,
    createdAt: instant(facts.createdAt),
  }))
  output.result(lines.length > 0 ? lines : ['no apps'], { apps: documents })
}

export async function createToken(
  { host, output, configFile }: Context,
  organization: string,
  role: RegistryRole,
): Promise<void> {
  await using registry = await host.openRegistry(configFile, true)
  const token = await registry.createToken(organization, role)
  // Alone on stdout, so that it can be written to a file.
  output.progress(`A token (${role} of ${organization}), shown once:`)
  output.result([token], { organization, role, token })
}

export async function listTokens(
  { host, output, configFile }: Context,
  organization: string | undefined,
): Promise<void> {
  await using registry = await host.openRegistry(configFile, false)
  const tokens = await registry.listTokens(organization)
  output.result(tokens.length > 0 ? tokens.map(tokenLine) : ['no tokens'], {
    tokens: tokens.map(tokenDocument),
  })
}

export async function revokeToken(
  { host, output, configFile }: Context,
  id: string,
): Promise<void> {
  await using registry = await host.openRegistry(configFile, false)
  const { organization, role, revokedAt } = await registry.revokeToken(id)
  const at = instant(revokedAt)
  output.result([`Revoked at ${at}, for ever (${role} of ${organization}):  ${id}`], {
    organization,
    role,
    id,
    revokedAt: at,
  })
}

function tokenLine({ id, organization, role, createdAt, revokedAt }: RegistryToken): string {
  const state = revokedAt === undefined ? '' : `  revoked ${instant(revokedAt)}`
  return `${organization}  ${role}  created ${instant(createdAt)}${state}  ${id}`
}

/** Neither the token nor its digest. */
function tokenDocument({ id, organization, role, createdAt, revokedAt }: RegistryToken): object {
  return {
    organization,
    role,
    id,
    createdAt: instant(createdAt),
    revokedAt: revokedAt === undefined ? null : instant(revokedAt),
  }
}
