import { diesAfter, diesAt } from './dying.ts'
import type { Edit } from './edit.ts'

const ask = 'src/rotation/ask.ts'
const activate = 'src/rotation/activate.ts'
const perform = 'src/rotation/perform.ts'

const withdrawn = `await markVersion(transaction.connection, version, 'withdrawn', at)`
const disabled = `await markVersion(transaction.connection, version, 'disabled', at)`

/** Points at which `rotate` may die while one version takes over from another, in their order. */
export const switchDies = {
  'in the transaction of what was asked': diesAfter(
    ask,
    'await insertAskedRotation(transaction, key.name, after, at)',
  ),
  'after what was asked': diesAt('src/rotation/tick.ts', 'const failed = new Set<string>()'),
  'between the old version and the new one': diesAfter(
    activate,
    `await changeState(connection, retires, 'retiring', at)`,
  ),
  'after the old version and the new one': diesAfter(
    activate,
    `await changeState(connection, version, 'active', at)`,
  ),
  'after the takeover': diesAt(
    activate,
    `return [ { version: nameOf(version), step: 'activated' }`,
  ),
  'before the registry is told to forget': diesAt(
    perform,
    'const { verdict } = await attempt(deps, id, () => registry.withdraw(',
  ),
  'when the registry has forgotten': diesAfter(
    'src/registry/app-keys.ts',
    'await api.remove(kid, signal)',
  ),
  'in the transaction of the withdrawal': diesAfter(perform, withdrawn),
  'after the withdrawal': diesAt(perform, `return [{ version: nameOf(version), step: isRetiring`),
  'before the vault disables': diesAt(perform, 'await disabler.disable(version.resource, signal)'),
  'when the vault has disabled': diesAfter(
    perform,
    'await disabler.disable(version.resource, signal)',
  ),
  'in the transaction of the disabling': diesAfter(perform, disabled),
  'after the disabling': diesAt(perform, `return [{ version: nameOf(version), step: 'disabled' }]`),
} satisfies Record<string, readonly Edit[]>

/** Mistakes of `rotate` around a takeover, each of which a kill brings to light. */
export const switchMistakes = {
  'what was asked is forgotten': [
    { file: ask, from: 'await insertAskedRotation(transaction, key.name, after, at)', to: '' },
  ],
  'the versions change places in two transactions': [
    {
      file: activate,
      from: `if (retires) { await changeState(connection, retires, 'retiring', at)`,
      to: 'if (retires) {',
    },
    {
      file: activate,
      from: 'const at = deps.clock.now()',
      to: `const at = deps.clock.now(); if (retires) await deps.store.writeTransaction((transaction) => changeState(transaction.connection, retires, 'retiring', at))`,
    },
  ],
  'a withdrawal is recorded before it is made': [
    {
      file: perform,
      from: `const id = await intend(deps, lease, 'withdraw', version)`,
      to: `const id = await intend(deps, lease, 'withdraw', version); await deps.store.writeTransaction(async (transaction) => { await changeState(transaction.connection, version, 'retired', 1); await markVersion(transaction.connection, version, 'withdrawn', 1); });`,
    },
    {
      file: perform,
      from: `if (isRetiring) await changeState(transaction.connection, version, 'retired', at)`,
      to: '',
    },
  ],
  'a withdrawal’s intent stays open': [
    { file: perform, from: 'await closeRegistryEntries(transaction, version)', to: '' },
  ],
  'a disabling is recorded before it is made': [
    {
      file: perform,
      from: 'const disabler = await deps.disablerOf(version.vault)',
      to: `await deps.store.writeTransaction((transaction) => markVersion(transaction.connection, version, 'disabled', 1)); const disabler = await deps.disablerOf(version.vault)`,
    },
  ],
} satisfies Record<string, readonly Edit[]>
