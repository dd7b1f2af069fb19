import { generateKeyPair, type KeyObject, randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ServiceError } from '../../src/errors.ts'
import type { Bytes } from '../../src/lib/bytes.ts'
import { assertPrivateDirectory, createFileDurably, errnoOf } from '../../src/lib/file.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import { spkiOf } from '../../src/signing/public-key.ts'
import type { GenerateRequest, KeyGenerator } from '../../src/signing/signer.ts'
import type { LocalConfig } from './config.ts'
import { systemError } from './errors.ts'
import { assertMasterKeys, newestOf, rereadMasterKeys } from './master-key.ts'
import { seal } from './seal.ts'
import { findResource, listResources, resourceOf, sealedBytes } from './sealed-file.ts'

const modulusBitsOffered: readonly number[] = [2048, 3072, 4096]
const modulusBitsDefault = 3072
const publicExponent = 65_537

const newKeyPair = promisify(generateKeyPair)

/**
 * Makes versions; `serve` is composed without it. An intent names at most one file, so that
 * generating again with the same one is free and returns the first result.
 *
 * @throws {ServiceError} `config_invalid`, naming path and remedy.
 */
export async function localGenerator(config: LocalConfig): Promise<KeyGenerator> {
  await assertPrivateDirectory(config.directory)
  await assertMasterKeys(config.masterKeyFile)
  return {
    async generate(request, signal) {
      signal.throwIfAborted()
      const resource = resourceOf(request.name, request.intentId)
      const earlier = await findResource(config.directory, request.intentId)
      if (earlier !== undefined) return earlier
      await assertNew(config.directory, request.name, resource)

      const made = await newMaterial(request)
      try {
        signal.throwIfAborted()
        await keep(config, request, made, join(config.directory, resource))
        return resource
      } finally {
        made.material.fill(0)
      }
    },

    async find(intentId, signal) {
      signal.throwIfAborted()
      return findResource(config.directory, intentId)
    },
  }
}

/**
 * A store that asks for a version which this vault has under another intent is not the store that
 * made it: an unmounted volume, or a wrong path, must not replace every identity.
 */
async function assertNew(directory: string, name: string, resource: string): Promise<void> {
  const resources = await listResources(directory)
  const others = resources.filter((other) => other !== resource)
  if (!others.some((other) => other.startsWith(`${name}.`))) return
  const message = `The vault already holds ${name}, which this store does not know: restore the store`
  throw new ServiceError('refused', message)
}

/** PKCS#8 DER and its public half, or the bytes of an HMAC secret. */
type Made = { readonly material: Bytes; readonly spki?: Bytes }

async function newMaterial({ algorithm: name, modulusBits }: GenerateRequest): Promise<Made> {
  const row = algorithm(name)
  if (row.kty === 'RSA') return newRsa(modulusBits ?? modulusBitsDefault)
  if (modulusBits !== undefined) throw unusable('Only RSA has a choice of sizes')
  switch (row.kty) {
    case 'EC':
      return exported(await newKeyPair('ec', { namedCurve: row.crv }))
    case 'OKP':
      return exported(await newKeyPair('ed25519'))
    case 'oct':
      return { material: randomBytes(row.macBytes) } // as long as the hash: RFC 7518 §3.2
  }
}

async function newRsa(modulusLength: number): Promise<Made> {
  if (!modulusBitsOffered.includes(modulusLength)) {
    throw unusable(`This vault makes RSA keys of ${modulusBitsOffered.join(', ')} bits`)
  }
  return exported(await newKeyPair('rsa', { modulusLength, publicExponent }))
}

function unusable(message: string): ServiceError {
  return new ServiceError('vault_key_unusable', message)
}

/** Out of the `KeyObject` only to be sealed, and zeroed after that. */
function exported({ publicKey, privateKey }: Record<'publicKey' | 'privateKey', KeyObject>): Made {
  const material = privateKey.export({ type: 'pkcs8', format: 'der' })
  return { material, spki: spkiOf(publicKey) }
}

async function keep(
  config: LocalConfig,
  { name, algorithm: algorithmName, intentId }: GenerateRequest,
  { material, spki }: Made,
  path: string,
): Promise<void> {
  using keys = await rereadMasterKeys(config.masterKeyFile)
  const masterKey = newestOf(keys)
  const header = { version: name, algorithm: algorithmName, intent: intentId, spki }
  const file = seal(header, material, masterKey)
  try {
    await createFileDurably(path, sealedBytes(file), 0o600)
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST') return // the same intent, at the same time: the first one counts
    throw systemError('The new key cannot be written', cause)
  }
  try {
    await assertNewest(config, masterKey.id)
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

/**
 * A `rekey` that began before our file was there may have missed it, and would then throw away the
 * only key that opens it. If ours is still the newest master key, every later rekey lists the file.
 */
async function assertNewest(config: LocalConfig, masterKeyId: string): Promise<void> {
  using keys = await rereadMasterKeys(config.masterKeyFile)
  if (newestOf(keys).id === masterKeyId) return
  throw new ServiceError('vault_unavailable', 'The master key is being replaced: try again')
}
