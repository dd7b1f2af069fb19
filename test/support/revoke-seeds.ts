import { diesAfter, diesAt } from './dying.ts'
import type { Edit } from './edit.ts'

const revoke = 'src/service/revoke.ts'
const secondLine = 'src/service/second-line.ts'

/** Points at which `revoke` may die; those about registry and vault are reached side by side. */
export const revokeDies = {
  'in the transaction of the revocation': diesAfter(
    revoke,
    `await changeState(connection, found, 'revoked', at)`,
  ),
  'after the promotion, in the same transaction': diesAfter(
    revoke,
    `await changeState(connection, next, 'active', at)`,
  ),
  'after the revocation': diesAt(revoke, 'const { found, promoted, intents } = begun'),
  'before the registry is told': diesAt(
    secondLine,
    'return registry.withdraw(registrationOf(version), signal)',
  ),
  'after the registry has forgotten the version': diesAfter(
    'src/registry/app-keys.ts',
    'await api.remove(kid, signal)',
  ),
  'before the vault is told': diesAt(
    secondLine,
    'await disabler.disable(version.resource, signal)',
  ),
  'after the vault has disabled the version': diesAfter(
    secondLine,
    'await disabler.disable(version.resource, signal)',
  ),
  'in the transaction of what was done': diesAfter(
    secondLine,
    'await closeEntry(transaction, id, undefined)',
  ),
  'before it says what it did': diesAt(
    'src/cli/revoke.ts',
    'output.result(revokedWords(revoked), revokedDocument(revoked))',
  ),
} satisfies Record<string, readonly Edit[]>

/** Mistakes in `revoke`, each of which leaves something behind when it dies. */
export const revokeMistakes = {
  'what is revoked already is left as it is': [
    {
      file: revoke,
      from: 'intents: await openSecondLine(deps, transaction, found)',
      to: `intents: found.state === 'revoked' ? {} : await openSecondLine(deps, transaction, found)`,
    },
  ],
  'it is written down before it is done': [
    { file: secondLine, from: 'const part = await work()', to: `const part = { verdict: 'done' }` },
    {
      file: secondLine,
      from: `if (part.verdict === 'done') await close(deps, transaction, version, mark, id) })`,
      to: `await close(deps, transaction, version, mark, id) }); await work()`,
    },
  ],
  'what was done stays in the journal as open': [
    { file: secondLine, from: 'await closeEntry(transaction, id, undefined)', to: '' },
  ],
} satisfies Record<string, readonly Edit[]>

/** Mistakes that show without a kill. */
export const livingMistakes = {
  'all of the configuration is read before a revocation': [
    {
      file: 'src/compose/revocation.ts',
      from: 'const { head, readWhole } = beginConfig(configFile)',
      to: 'const { head, readWhole } = beginConfig(configFile); await readWhole()',
    },
  ],
  // Beside a state that is read once: else the snapshot, too, stops what has been revoked.
  'the snapshot is read for an hour': [
    {
      file: 'src/compose/serve.ts',
      from: 'const reloadEveryMs = 500',
      to: 'const reloadEveryMs = 3_600_000',
    },
  ],
} satisfies Record<string, readonly Edit[]>
