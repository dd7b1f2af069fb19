import { randomBytes } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { rm, rmdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { loadAdministration } from '../../providers/administration.ts'
import { digestKeyBytes } from '../audit/input-digest.ts'
import { createApiKey } from '../auth/api-key.ts'
import type { InitResult } from '../cli/host.ts'
import { ServiceError } from '../errors.ts'
import { type Bytes, encodeBytes, utf8 } from '../lib/bytes.ts'
import { createFileDurably, errnoOf } from '../lib/file.ts'
import { openJob } from './job.ts'

/**
 * A first configuration with one key, one caller and one grant, ready to serve.
 *
 * @throws {ServiceError} `refused`, changing nothing, when one of its files exists; `config_invalid`,
 *   leaving nothing behind, when they cannot be written.
 */
export async function init(directory: string): Promise<InitResult> {
  const files = filesIn(resolve(directory))
  const existing = everyFile(files).find((file) => isThere(file))
  if (existing !== undefined) {
    const message = `${existing} exists: nothing was changed; name another directory, or remove it`
    throw new ServiceError('refused', message)
  }
  const missing = missingDirectories(files.vault)
  const { text: apiKey, record } = createApiKey()
  try {
    await makeVault(files)
    const version = await fill(
      files,
      apiKey,
      configText(record.id, encodeBytes(record.sha256, 'hex')),
    )
    return { configFile: files.config, headerFile: files.header, apiKey, version }
  } catch (error) {
    if (!isRefused(error)) await removeEmpty(missing)
    throw error
  }
}

/** Another run at the same time has come first, and needs the directories. */
function isRefused(error: unknown): boolean {
  return error instanceof ServiceError && error.code === 'refused'
}

async function removeEmpty(directories: readonly string[]): Promise<void> {
  for (const directory of directories) await rmdir(directory).catch(() => undefined)
}

type Files = ReturnType<typeof filesIn>

function filesIn(directory: string) {
  const within = (...names: readonly string[]) => join(directory, ...names)
  return {
    config: within('chancery.yaml'),
    digestKey: within('var', 'audit-digest.key'),
    header: within('var', 'caller.header'),
    gitignore: within('var', '.gitignore'),
    vault: within('var', 'vault'),
    store: within('var', 'chancery.db'),
    masterKey: within('var', 'master.key'),
  }
}

/** Also those that SQLite and the migration put beside the store. */
function everyFile(files: Files): readonly string[] {
  const besides = ['-wal', '-shm', '-migrate'].map((suffix) => files.store + suffix)
  return [...besides, ...Object.values(files)]
}

/** A link that leads nowhere is there, too. */
function isThere(file: string): boolean {
  try {
    return lstatSync(file) !== undefined
  } catch {
    return false
  }
}

/** The directory and those around it that are still to be made, deepest first. */
function missingDirectories(directory: string): readonly string[] {
  return isThere(directory) ? [] : [directory, ...missingDirectories(dirname(directory))]
}

/** Its master key is never written over: of two runs at once only one comes past this. */
async function makeVault({ vault: directory, masterKey: masterKeyFile }: Files): Promise<void> {
  const { initLocalVault } = await loadAdministration.local()
  await initLocalVault({ provider: 'local', directory, masterKeyFile })
}

/** @returns the version that is ready to sign. */
async function fill(files: Files, apiKey: string, config: string): Promise<string> {
  try {
    await writeFiles(files, apiKey, config)
    return await firstVersion(files.config)
  } catch (error) {
    // Half a configuration would only be in the way of the next try; the master key goes last.
    for (const file of everyFile(files)) {
      await rm(file, { recursive: true, force: true })
    }
    throw asConfigError(error, files.config)
  }
}

async function writeFiles(files: Files, apiKey: string, config: string): Promise<void> {
  const write = (file: string, bytes: Bytes) => createFileDurably(file, bytes, 0o600)
  await write(files.digestKey, new Uint8Array(randomBytes(digestKeyBytes)))
  await write(files.header, utf8(`Authorization: Bearer ${apiKey}\n`))
  await write(files.gitignore, utf8('*\n'))
  await write(files.config, utf8(config))
}

async function firstVersion(configFile: string): Promise<string> {
  await using job = await openJob(configFile, 'init')
  const { rotation } = await job.rotate([], { now: 'no', isForced: false })
  const [step] = rotation.verdict === 'done' ? rotation.steps : []
  if (step) return step.version
  throw rotation.verdict === 'done'
    ? rotation.failures[0]?.error
    : new TypeError('a new store was leased')
}

function asConfigError(error: unknown, configFile: string): unknown {
  if (error instanceof ServiceError || errnoOf(error) === undefined) return error
  const message = `${configFile} cannot be written: name a directory that you can write to`
  return new ServiceError('config_invalid', message, { cause: error })
}

function configText(id: string, sha256: string): string {
  return `# The configuration of Chancery; README.md, "Configuration", has every member.
environment: dev
allowSoftwareKeys: true # the local vault: whoever has its files and the master key has the keys
store: { sqlite: ./var/chancery.db }
listen:
  sign: { address: 127.0.0.1:8480 }
  ops: { address: 127.0.0.1:8481 }
audit: { digestKeyFile: ./var/audit-digest.key }
vaults:
  local: { provider: local, directory: ./var/vault, masterKeyFile: ./var/master.key }
keys:
  first-key:
    vault: local
    alg: ES256
    profile: { name: generic-jwt, issuer: https://chancery.example }
callers:
  first-caller: { apiKeys: [{ id: ${id}, sha256: ${sha256} }] }
grants:
  - caller: first-caller
    key: first-key
    operations: [sign-claims, sign-input, read-fingerprint]
    maxLifetime: 15m
    claims: { sub: { text: 200 } }
`
}
