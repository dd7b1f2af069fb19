import { diesAfter, diesAt } from './dying.ts'
import type { Edit } from './edit.ts'
import { rotateDies } from './seeds.ts'

const importing = 'src/rotation/import.ts'
const uploading = 'src/rotation/upload.ts'
const abandoning = 'src/rotation/abandon.ts'
const command = 'src/cli/import.ts'
const keep = 'providers/local/keep.ts'

const openIntent = 'await openEntry(transaction, entry)'
const askVault = 'const resource = await put(request, uploading.signal)'

/** Points at which `import` may die, in the order in which it comes to them. */
export const importDies = {
  'before the number is reserved': diesAt(importing, 'const entry = await reserve(run)'),
  'in the transaction of the import’s intent': diesAfter(importing, openIntent),
  'after the number is reserved': diesAt(
    importing,
    'return upload(run, entry, (request, signal) => deps.importerOf(wish.key)',
  ),
  'before the vault is asked': diesAt(uploading, askVault),
  'while the vault writes the key': rotateDies['while the vault writes the key'],
  'after the vault has linked the file': diesAfter('src/lib/file.ts', 'await put(temporary)'),
  'before the vault answers': diesAfter(
    keep,
    'await write(config, version, made, join(config.directory, resource))',
  ),
  'after the vault has answered': diesAfter(uploading, askVault),
  'after the imported key is read back, and has signed': diesAt(
    uploading,
    'if (!isSameKey(version, key.algorithm.name, wish.identity)) {',
  ),
  'in the transaction of the imported version': diesAfter(
    uploading,
    'await insertVersion(connection, version)',
  ),
  'at the end of that transaction': diesAfter(
    uploading,
    'await closeEntry(transaction, id, version.resource)',
  ),
  'after the imported version': diesAt(
    uploading,
    `return isSigning ? { ...version, state: 'active'`,
  ),
  'before the import gives its lease back': diesAt(importing, 'await releaseLease(store, lease)'),
  'before the import lets it sign': diesAt(
    'src/compose/importing.ts',
    'const activation = mayActivate(',
  ),
  'in the transaction of the switch': rotateDies['in the transaction of the switch'],
  'before the source is deleted': diesAt(command, 'const left = await deletedOf(file, options)'),
} satisfies Record<string, readonly Edit[]>

/** Points of a run that finds what an earlier one has left; with another file it gives that up. */
export const importAgainDies = {
  'after the vault was searched': diesAfter(importing, 'const found = await leftBy(run, entry)'),
  'in the transaction that gives a key up': diesAfter(
    abandoning,
    'await closeEntry(transaction, id, resource)',
  ),
  'after a key was given up': diesAfter(importing, 'await abandon(run, entry, found)'),
} satisfies Record<string, readonly Edit[]>

/** Mistakes in `import`, each of which leaves something behind when it dies. */
export const importMistakes = {
  'the import has no intent': [{ file: importing, from: openIntent, to: '' }],
  'the vault is asked before the intent is durable': [
    { file: importing, from: openIntent, to: '' },
    {
      file: uploading,
      from: askVault,
      to: `${askVault}; const late = { id, step: 'import', key: key.name, n, at: deps.clock.now() }; await deps.store.writeTransaction((transaction) => openEntry(transaction, late))`,
    },
  ],
  'the import’s intent stays open': [
    { file: uploading, from: 'await closeEntry(transaction, id, version.resource)', to: '' },
  ],
  'an orphan is not told': [
    {
      file: abandoning,
      from: 'await insertOrphan(transaction, { key, n, vault, intent: id, resource }, at)',
      to: '',
    },
  ],
  'the source is deleted before the import': [
    {
      file: command,
      from: `await using job = await host.openJob(configFile, 'import')`,
      to: `const left = await deletedOf(file, options); await using job = await host.openJob(configFile, 'import')`,
    },
    { file: command, from: 'const left = await deletedOf(file, options) output', to: 'output' },
  ],
} satisfies Record<string, readonly Edit[]>

/** Ways in which an imported key may come to stand where others read. */
export const importLeaks = {
  'the imported key is in its audit record': [
    {
      file: 'src/rotation/import-run.ts',
      from: 'reason: wish.compared,',
      to: `reason: wish.material.type === 'secret' ? wish.material.export().toString('base64') : String(wish.material.export({ type: 'pkcs8', format: 'pem' })),`,
    },
  ],
  'the key file is copied to a temporary one': [
    {
      file: command,
      from: 'const bytes = await readBytes(options, file)',
      to: `const bytes = await readBytes(options, file); (await import('node:fs')).writeFileSync((process.env.TMPDIR ?? '/tmp') + '/' + process.pid, bytes)`,
    },
  ],
} satisfies Record<string, readonly Edit[]>

/** All of them, by name. */
export const importSeeds: Readonly<Record<string, readonly Edit[]>> = {
  ...importDies,
  ...importAgainDies,
  ...importMistakes,
  ...importLeaks,
}
