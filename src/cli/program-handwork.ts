import { type Command, Option } from 'commander'
import { secretEncodings } from '../lib/secret.ts'
import type { ConfirmOptions } from './confirm.ts'
import type { ImportOptions } from './import.ts'
import type { Runner } from './runner.ts'

/** What people do about keys that somebody else makes. */
export function addHandwork(root: Command, run: Runner): void {
  addImport(root, run)
  root
    .command('confirm')
    .argument('<version>', 'KEY@N')
    .addOption(
      new Option('--fingerprint <name=value>', 'as its registry shows it').conflicts('deleted'),
    )
    .option('--deleted', 'it was deleted where its maker keeps it')
    .description('say what you have seen, or done, at a registry that no program can ask')
    .action(async (version: string, options: ConfirmOptions, command: Command) =>
      run(command, async (context) =>
        (await import('./confirm.ts')).confirm(context, version, options),
      ),
    )
  root
    .command('tasks')
    .description('what waits for a human, with the exact steps')
    .action(async (_options: unknown, command: Command) =>
      run(command, async (context) => (await import('./tasks.ts')).tasks(context)),
    )
}

function addImport(root: Command, run: Runner): void {
  const collect = (value: string, others: readonly string[]) => [...others, value]
  root
    .command('import')
    .argument('<key>', 'a key with source: imported')
    .option('--pem <file>', 'a private key, PEM or JWK; - for stdin')
    .option('--secret <file>', 'a secret; - for stdin or a prompt')
    .option('--csv <file>', 'a key id and a secret, as a portal downloads them; - for stdin')
    .addOption(
      new Option('--secret-encoding <name>', 'how the secret is written')
        .choices(secretEncodings)
        .default('utf8'),
    )
    .option('--key-id <id>', 'the portal’s id of the secret')
    .option('--expect <name=value>', 'a fingerprint to compare before anything else', collect, [])
    .option('--regenerated', 'the portal has put another secret behind the same key id')
    .option('--delete-source', 'delete the file when its key is a version')
    .description('take a key that somebody else made into its vault')
    .action(async (key: string, options: ImportOptions, command: Command) =>
      run(command, async (context) =>
        (await import('./import.ts')).importFile(context, key, options),
      ),
    )
}
