import { dirname } from 'node:path'
import { ServiceError } from '../../src/errors.ts'
import { assertPrivateDirectory, makePrivateDirectory } from '../../src/lib/file.ts'
import type { LocalConfig } from './config.ts'
import { createMasterKey } from './master-key.ts'
import { listResources } from './sealed-file.ts'

/**
 * `vault init`: the directory and its master key, which the operator then has to back up.
 *
 * @throws {ServiceError} `refused`, changing nothing, when there is a master key, or are keys that
 *   only another one could open; `config_invalid` for a directory that is shared or cannot be made.
 */
export async function initLocalVault({ directory, masterKeyFile }: LocalConfig): Promise<void> {
  await makePrivateDirectory(directory)
  await assertPrivateDirectory(directory)
  const { length } = await listResources(directory)
  if (length > 0) {
    const message = `${directory} holds ${length} sealed keys, which no new master key could open`
    throw new ServiceError('refused', message)
  }
  await makePrivateDirectory(dirname(masterKeyFile))
  await createMasterKey(masterKeyFile)
}
