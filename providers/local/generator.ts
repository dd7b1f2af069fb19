import { generateKeyPair, type KeyObject, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { ServiceError } from '../../src/errors.ts'
import { assertPrivateDirectory } from '../../src/lib/file.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import { spkiOf } from '../../src/signing/public-key.ts'
import type { GenerateRequest, KeyGenerator } from '../../src/signing/signer.ts'
import type { LocalConfig } from './config.ts'
import { exportedMaterial, keep, type Made } from './keep.ts'
import { assertMasterKeys } from './master-key.ts'
import { findResources } from './sealed-file.ts'

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
      return keep(config, request, () => newMaterial(request), signal)
    },

    async find({ intentId }, signal) {
      signal.throwIfAborted()
      return findResources(config.directory, intentId)
    },

    settleMs: 0,
  }
}

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

function exported({ publicKey, privateKey }: Record<'publicKey' | 'privateKey', KeyObject>): Made {
  return { material: exportedMaterial(privateKey), spki: spkiOf(publicKey) }
}
