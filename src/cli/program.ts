import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { configFile } from '../config/environment.ts'
import type { ExplainOptions } from './explain.ts'
import type { RotateOptions } from './rotate.ts'
import { ServiceError } from '../errors.ts'
import { errorDocument, exitCodes, fail } from './failure.ts'
import type { Host } from './host.ts'
import type { ShownForms } from './keys.ts'
import { Output } from './output.ts'
import { addHandwork } from './program-handwork.ts'
import { addRegistry } from './program-registry.ts'
import type { Runner } from './runner.ts'

/**
 * Reads the command line and runs one command; each is loaded when it is asked for.
 *
 * @returns the exit code.
 */
export async function runProgram(host: Host, argv: readonly string[]): Promise<number> {
  let exitCode: number = exitCodes.done
  const run: Runner = async (command, work, fileOf = configFile) => {
    const { json = false, config } = command.optsWithGlobals<{ json?: boolean; config?: string }>()
    const output = new Output(json)
    try {
      exitCode = (await work({ host, output, configFile: fileOf(config) })) ?? exitCodes.done
    } catch (error) {
      exitCode = fail(output, error)
    }
  }
  try {
    await program(run).parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Commander has printed it: help is an answer, everything else is wrong usage.
    if (error.exitCode === 0) return exitCodes.done
    if (argv.includes('--json')) printUsageError(error)
    return exitCodes.usage
  }
  return exitCode
}

/** Where one JSON document is expected, a refused command line is one too. */
function printUsageError({ code, message }: CommanderError): void {
  const text = code === 'commander.help' ? 'Name a command' : message.replace(/^error: /, '')
  new Output(true).text(errorDocument(new ServiceError('usage', text)))
}

/** @throws {CommanderError} for a reason that says nothing. */
function readReason(text: string): string {
  if (text.trim() !== '') return text
  throw new InvalidArgumentError('Say why.')
}

/** Every command, with what it takes. */
export function program(run: Runner): Command {
  const root = new Command('chancery')
    .description('Signs with private keys that never leave their vault.')
    .option('--config <file>', 'configuration file (else CHANCERY_CONFIG, else ./chancery.yaml)')
    .option('--json', 'print one JSON document')
    .showHelpAfterError('(run with --help for what there is)')
    .exitOverride()
  addService(root, run)
  addConfiguration(root, run)
  addKeys(root, run)
  addRotation(root, run)
  addRevocation(root, run)
  addAudit(root, run)
  addVault(root, run)
  addHandwork(root, run)
  addRegistry(root, run)
  for (const command of allCommands(root)) command.exitOverride().allowExcessArguments(false)
  return root
}

function allCommands(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => [child, ...allCommands(child)])
}

function addService(root: Command, run: Runner): void {
  root
    .command('init')
    .argument('[dir]', 'where to write', '.')
    .description('write a first configuration with one key, one caller and one grant')
    .action(async (directory: string, _options: unknown, command: Command) =>
      run(command, async (context) => (await import('./init.ts')).init(context, directory)),
    )
  root
    .command('serve')
    .description('run the service')
    .action(async (_options: unknown, command: Command) =>
      run(command, async (context) => (await import('./serve.ts')).serve(context)),
    )
  root
    .command('demo')
    .option('--keep', 'hold everything open at the end')
    .description('the first 60 seconds: everything once, for real')
    .action(async ({ keep = false }: { keep?: boolean }, command: Command) =>
      run(command, async (context) => (await import('./demo.ts')).demo(context, keep)),
    )
}

function addConfiguration(root: Command, run: Runner): void {
  const config = root.command('config').description('check the configuration')
  config
    .command('check')
    .description('everything that can be checked without a network')
    .action(async (_options: unknown, command: Command) =>
      run(command, async (context) => (await import('./config.ts')).checkConfig(context)),
    )
  config
    .command('schema')
    .description('the JSON Schema of the configuration')
    .action(async (_options: unknown, command: Command) =>
      run(command, async (context) => (await import('./config.ts')).printSchema(context)),
    )
  root
    .command('explain')
    .requiredOption('--caller <name>', 'who would ask')
    .requiredOption('--key <key>', 'for a signature by which key')
    .option('--claims <file>', 'the claims that would be sent; - for stdin')
    .option('--signing-input <file>', 'or the JWS signing input; - for stdin')
    .option('--message <file>', 'or the bytes of a message; - for stdin')
    .option('--digest <file>', 'or a digest, in base64 or base64url; - for stdin')
    .description('what the service would answer, and which rule makes it do so')
    .action(async (options: ExplainOptions, command: Command) =>
      run(command, async (context) => (await import('./explain.ts')).explain(context, options)),
    )
  root
    .command('callers')
    .description('credentials of callers')
    .command('new-key')
    .argument('<name>', 'the caller')
    .description('print an API key once, and the lines for the configuration')
    .action(async (name: string, _options: unknown, command: Command) =>
      run(command, async (context) => (await import('./callers.ts')).newKey(context, name)),
    )
}

function addKeys(root: Command, run: Runner): void {
  const keys = root.command('keys').description('keys and their versions')
  keys
    .command('list')
    .description('every key and version')
    .action(async (_options: unknown, command: Command) =>
      run(command, async (context) => (await import('./keys.ts')).listKeys(context)),
    )
  keys
    .command('show')
    .argument('<key>')
    .addOption(
      new Option('--jwk', 'the public JWK of the version that signs').conflicts([
        'pem',
        'terraform',
      ]),
    )
    .addOption(new Option('--pem', 'its public key as PEM').conflicts('terraform'))
    .option('--terraform', 'what a Contentful Terraform resource wants of every registered version')
    .description('one key, with every fingerprint')
    .action(async (key: string, forms: ShownForms, command: Command) =>
      run(command, async (context) => (await import('./keys.ts')).showKey(context, key, forms)),
    )
  root
    .command('fingerprint')
    .argument('<file>', 'PEM, JWK or DER; - for stdin')
    .option('--format <name>', 'only this one')
    .description('every fingerprint of a key in a file')
    .action(async (file: string, { format }: { format?: string }, command: Command) =>
      run(command, async (context) =>
        (await import('./fingerprint.ts')).fingerprint(context, file, format),
      ),
    )
}

function addRotation(root: Command, run: Runner): void {
  root
    .command('sync')
    .description('take up what the catalogues say, and report how the registries differ')
    .action(async (_options: unknown, command: Command) =>
      run(command, async (context) => (await import('./sync.ts')).sync(context)),
    )
  root
    .command('catalogue')
    .description('what Terraform provides')
    .command('check')
    .argument('<file>', 'a catalogue that is to take the place of the present one')
    .description('whether it would cut off a version that signs: exit 3')
    .action(async (file: string, _options: unknown, command: Command) =>
      run(command, async (context) =>
        (await import('./catalogue.ts')).checkCatalogue(context, file),
      ),
    )
  root
    .command('rotate')
    .argument('[keys...]', 'all, when none is named')
    .addOption(new Option('--now', 'before it is due, with every wait').conflicts('emergency'))
    .option('--emergency', 'before it is due, and without overlap')
    .option('--dry-run', 'say what is due and what is waited for, and do nothing')
    .option('--force-switch', 'also to a version that not every process has proved')
    .description('do every step that is due; a key without a version that ever signed gets one')
    .action(async (names: string[], options: RotateOptions, command: Command) =>
      run(command, async (context) =>
        (await import('./rotate.ts')).rotate(context, names, options),
      ),
    )
}

function addRevocation(root: Command, run: Runner): void {
  root
    .command('revoke')
    .argument('<version>', 'KEY@N')
    .requiredOption('--reason <text>', 'for the audit', readReason)
    .option('--no-promote', 'let no standby sign instead')
    .description('end a version for ever, at once')
    .action(
      async (
        version: string,
        { reason, promote }: { reason: string; promote: boolean },
        command: Command,
      ) =>
        run(command, async (context) => {
          const { revoke } = await import('./revoke.ts')
          return revoke(context, { version, reason, isWithoutPromotion: !promote })
        }),
    )
  for (const verb of ['suspend', 'resume'] as const) {
    root
      .command(verb)
      .argument('<kind>', 'key, version, caller or everything')
      .argument('[name]', 'which one')
      .requiredOption('--reason <text>', 'for the audit', readReason)
      .description(verb === 'suspend' ? 'stop signing, at once' : 'take one suspension back')
      .action(
        async (
          kind: string,
          name: string | undefined,
          { reason }: { reason: string },
          command: Command,
        ) =>
          run(command, async (context) =>
            (await import('./suspend.ts')).changeSuspension(context, verb, { kind, name, reason }),
          ),
      )
  }
}

function addAudit(root: Command, run: Runner): void {
  const audit = root.command('audit').description('the record of what was signed')
  audit
    .command('verify')
    .option('--checkpoint <file>', 'an earlier report, as --json printed it')
    .description('check every record; exit 6 when one was changed')
    .action(async ({ checkpoint }: { checkpoint?: string }, command: Command) =>
      run(command, async (context) => (await import('./audit.ts')).verify(context, checkpoint)),
    )
  audit
    .command('find')
    .option('--jwt <token>', 'a JWT, or - for one a line on stdin')
    .option('--message <file>', 'a file that was signed')
    .description('the records about what was signed; exit 3 when there are none')
    .action(async (wanted: { jwt?: string; message?: string }, command: Command) =>
      run(command, async (context) => (await import('./audit.ts')).find(context, wanted)),
    )
}

function addVault(root: Command, run: Runner): void {
  const vault = root.command('vault').description('the local vault')
  vault
    .command('init')
    .argument('<name>', 'a vault of the configuration')
    .description('make its master key')
    .action(async (name: string, _options: unknown, command: Command) =>
      run(command, async (context) => (await import('./vault.ts')).initVault(context, name)),
    )
  vault
    .command('rekey')
    .argument('<name>', 'a vault of the configuration')
    .description('seal everything under a new master key')
    .action(async (name: string, _options: unknown, command: Command) =>
      run(command, async (context) => (await import('./vault.ts')).rekeyVault(context, name)),
    )
}
