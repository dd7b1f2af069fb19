import { type Command, Option } from 'commander'
import { registryFile } from '../config/environment.ts'
import { type RegistryRole, registryRoles } from './host.ts'
import type { Run, Runner } from './runner.ts'

/** The embedded app registry: a program of its own, with a configuration of its own. */
export function addRegistry(root: Command, runner: Runner): void {
  const run = (command: Command, work: Run) => runner(command, work, registryFile)
  const registry = root
    .command('registry')
    .description('the embedded app registry (--config, else ./registry.yaml)')
  registry
    .command('serve')
    .description('run the registry')
    .action(async (_options: unknown, command: Command) =>
      run(command, async (context) => (await import('./registry.ts')).serveRegistry(context)),
    )
  addApps(registry, run)
  addTokens(registry, run)
}

type RunHere = (command: Command, work: Run) => Promise<void>

function addApps(registry: Command, run: RunHere): void {
  const app = registry.command('app').description('apps, whose public keys it lists')
  app
    .command('create')
    .argument('<org>', 'the organization')
    .argument('<name>', 'of the app')
    .description('make an app; prints its id')
    .action(async (org: string, name: string, _options: unknown, command: Command) =>
      run(command, async (context) =>
        (await import('./registry.ts')).createApp(context, org, name),
      ),
    )
  app
    .command('list')
    .argument('[org]', 'all, when none is named')
    .description('every app, and how many keys it has')
    .action(async (org: string | undefined, _options: unknown, command: Command) =>
      run(command, async (context) => (await import('./registry.ts')).listApps(context, org)),
    )
}

function addTokens(registry: Command, run: RunHere): void {
  const token = registry.command('token').description('tokens for its API')
  token
    .command('create')
    .argument('<org>', 'the organization')
    .addOption(
      new Option('--role <role>', 'admin writes, reader reads')
        .choices(registryRoles)
        .makeOptionMandatory(),
    )
    .description('make a token; prints it once')
    .action(async (org: string, { role }: { role: RegistryRole }, command: Command) =>
      run(command, async (context) =>
        (await import('./registry.ts')).createToken(context, org, role),
      ),
    )
  token
    .command('list')
    .argument('[org]', 'all, when none is named')
    .description('every token, without its secret')
    .action(async (org: string | undefined, _options: unknown, command: Command) =>
      run(command, async (context) => (await import('./registry.ts')).listTokens(context, org)),
    )
  token
    .command('revoke')
    .argument('<id>', 'of the token, from `token list`')
    .description('end a token for ever, at once')
    .action(async (id: string, _options: unknown, command: Command) =>
      run(command, async (context) => (await import('./registry.ts')).revokeToken(context, id)),
    )
}
