import { join } from 'node:path'
import { ServiceError } from '../../src/errors.ts'
import { assertPrivateDirectory, renameDurably, writeFileDurably } from '../../src/lib/file.ts'
import type { LocalConfig } from './config.ts'
import { systemError } from './errors.ts'
import { createMasterKey, nextMasterKeyFile, readMasterKeys } from './master-key.ts'
import type { MasterKey, MasterKeys } from './master-key.ts'
import { rewrap } from './seal.ts'
import {
  listResources,
  openDataKey,
  readSealedFile,
  sealedBytes,
  type SealedFile,
} from './sealed-file.ts'

/** A pass after the first finds something only when files are put back from a backup meanwhile. */
const passesMax = 8

/**
 * `vault rekey`: a new master key, and every data key wrapped under it. It may stop at any point: each
 * file is whole and opens under one of the two master keys, and the next run goes on from there.
 *
 * @returns how many files this run has wrapped anew.
 * @throws {ServiceError} `config_invalid` or `refused`, naming the path, before anything is changed when
 *   a file does not open; `vault_denied` or `vault_unavailable` when writing fails: run it again.
 */
export async function rekey(config: LocalConfig): Promise<number> {
  await assertPrivateDirectory(config.directory)
  await startUnlessStarted(config)

  using keys = await readMasterKeys(config.masterKeyFile)
  if (!keys.next) throw overtaken()
  const { next } = keys
  const rewrapped = await rewrapAll(config.directory, keys, next)
  await finish(config.masterKeyFile, next)
  return rewrapped
}

async function startUnlessStarted({ directory, masterKeyFile }: LocalConfig): Promise<void> {
  using keys = await readMasterKeys(masterKeyFile)
  await forEachFile(directory, async (file) => {
    openDataKey(file, keys).fill(0)
  })
  if (!keys.next) await createMasterKey(nextMasterKeyFile(masterKeyFile))
}

/** Until a pass finds nothing to do: what it would miss could never be opened again. */
async function rewrapAll(directory: string, keys: MasterKeys, next: MasterKey): Promise<number> {
  let rewrapped = 0
  for (let pass = 0; pass < passesMax; pass += 1) {
    const before = rewrapped
    await forEachFile(directory, async (file, path) => {
      if (file.masterKey === next.id) return
      await writeFileDurably(path, sealedBytes(rewrap(file, keys, next)), 0o600)
      rewrapped += 1
    })
    if (rewrapped === before) return rewrapped
  }
  throw new ServiceError(
    'refused',
    `${directory} does not come to rest: files keep being put there`,
  )
}

async function finish(masterKeyFile: string, { id }: MasterKey): Promise<void> {
  using keys = await readMasterKeys(masterKeyFile)
  if (keys.next?.id !== id) throw overtaken()
  try {
    await renameDurably(nextMasterKeyFile(masterKeyFile), masterKeyFile)
  } catch (cause) {
    throw systemError('The new master key cannot take its place', cause)
  }
}

/** A file that does not open ends it, with its path: this is a command, and its reader the operator. */
async function forEachFile(
  directory: string,
  work: (file: SealedFile, path: string) => Promise<void>,
): Promise<void> {
  for (const resource of await listResources(directory)) {
    const path = join(directory, resource)
    try {
      await work(await readSealedFile(directory, resource), path)
    } catch (cause) {
      throw named(path, systemError('The sealed file cannot be written', cause))
    }
  }
}

function named(path: string, error: ServiceError): ServiceError {
  if (error.code !== 'vault_key_unusable') return error
  const remedy = 'restore it from a backup or move it away, and run this again'
  return new ServiceError('refused', `${path}: ${error.message}: ${remedy}`, { cause: error })
}

function overtaken(): ServiceError {
  return new ServiceError('refused', 'Another rekey has ended meanwhile: nothing is left to do')
}
