import { join } from 'node:path'
import { assertPrivateDirectory, errnoOf, renameDurably } from '../../src/lib/file.ts'
import type { KeyDisabler } from '../../src/signing/signer.ts'
import type { LocalConfig } from './config.ts'
import { keyUnusable, systemError } from './errors.ts'
import { isResource } from './sealed-file.ts'

/**
 * Puts sealed files out of the vault's sight, by a name that nothing opens, lists or rekeys. A process
 * that has opened one keeps it until it looks again; the file stays, for whoever wants it back.
 *
 * @throws {ServiceError} `config_invalid`, naming path and remedy.
 */
export async function localDisabler({ directory }: LocalConfig): Promise<KeyDisabler> {
  await assertPrivateDirectory(directory)
  return {
    async disable(resource, signal) {
      signal.throwIfAborted()
      if (!isResource(resource)) throw keyUnusable('No version has such a resource', resource)
      const path = join(directory, resource)
      try {
        await renameDurably(path, `${path}.disabled`)
      } catch (cause) {
        if (errnoOf(cause) === 'ENOENT') return
        throw systemError('The sealed file cannot be put aside', cause)
      }
    },
  }
}
