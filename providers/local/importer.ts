import { createPublicKey } from 'node:crypto'
import { assertPrivateDirectory } from '../../src/lib/file.ts'
import { algorithm, type AlgorithmName } from '../../src/signing/algorithms.ts'
import { hmacBlockBytes } from '../../src/signing/hmac-secret.ts'
import { spkiOf } from '../../src/signing/public-key.ts'
import type { ImportRequest, KeyImporter, SecretLimits } from '../../src/signing/signer.ts'
import type { LocalConfig } from './config.ts'
import { exportedMaterial, keep, type Made } from './keep.ts'
import { assertMasterKeys } from './master-key.ts'
import { findResources } from './sealed-file.ts'

/**
 * Seals keys that somebody else made; `serve` is composed without it. A file is written whole or not at
 * all, so that what is found is never empty.
 *
 * @throws {ServiceError} `config_invalid`, naming path and remedy.
 */
export async function localImporter(config: LocalConfig): Promise<KeyImporter> {
  await assertPrivateDirectory(config.directory)
  await assertMasterKeys(config.masterKeyFile)
  return {
    refusal: () => undefined,
    secretLimits,

    async import(request, signal) {
      signal.throwIfAborted()
      return keep(config, request, async () => madeElsewhere(request), signal)
    },

    async find({ intentId }, signal) {
      signal.throwIfAborted()
      const resources = await findResources(config.directory, intentId)
      return resources.map((resource) => ({ resource, fill: undefined }))
    },

    settleMs: 0,
  }
}

/** As long as the hash at least: https://www.rfc-editor.org/rfc/rfc7518#section-3.2 */
function secretLimits(name: AlgorithmName): SecretLimits | undefined {
  const row = algorithm(name)
  if (row.kty !== 'oct') return undefined
  return { bytesMin: row.macBytes, bytesMax: hmacBlockBytes[row.hash] }
}

function madeElsewhere({ material: key }: ImportRequest): Made {
  const material = exportedMaterial(key)
  return key.type === 'secret' ? { material } : { material, spki: spkiOf(createPublicKey(key)) }
}
