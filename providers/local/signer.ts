import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  privateEncrypt,
  sign,
} from 'node:crypto'
import { promisify } from 'node:util'
import { ServiceError } from '../../src/errors.ts'
import { type Bulkhead, bulkhead } from '../../src/lib/bulkhead.ts'
import { type Bytes, equalBytes } from '../../src/lib/bytes.ts'
import { within } from '../../src/lib/deadline.ts'
import { assertPrivateDirectory } from '../../src/lib/file.ts'
import { type Algorithm, algorithm } from '../../src/signing/algorithms.ts'
import { digestInfo } from '../../src/signing/digest-info.ts'
import { derToJose } from '../../src/signing/ecdsa.ts'
import { assertFits, spkiOf } from '../../src/signing/public-key.ts'
import type { OpenedSigner, Vault } from '../../src/signing/signer.ts'
import { padded } from '../../src/signing/verify.ts'
import { type LocalConfig, localSignsDigests } from './config.ts'
import { keyUnusable } from './errors.ts'
import { assertMasterKeys, masterKeyNamed, rereadMasterKeys } from './master-key.ts'
import { readSealedFile, type SealedFile, unseal } from './sealed-file.ts'

/** Signatures that wait for a thread: about half a second of ES384 or of RSA-3072 on one core. */
export const waitingMax = 512

/**
 * The vault as `serve` sees it. It reads the master key whenever a version is opened and forgets it
 * again, so that a rekey needs no restart.
 *
 * @param options.concurrency slow signatures (RSA, ES384, ES512) in the thread pool at once, over all
 *   versions.
 * @throws {ServiceError} `config_invalid`, naming path and remedy, when the directory or the master
 *   key is missing, shared, or not what it should be.
 */
export async function openLocalVault(
  config: LocalConfig,
  options: { readonly concurrency: number },
): Promise<Vault> {
  await assertPrivateDirectory(config.directory)
  await assertMasterKeys(config.masterKeyFile)
  const pool = bulkhead(options.concurrency, waitingMax)
  return {
    async open(version, signal) {
      signal.throwIfAborted()
      const { file, material } = await unsealed(config, version.resource)
      try {
        if (file.algorithm !== version.algorithm) {
          throw keyUnusable('The key was made for another algorithm', version.resource)
        }
        return localSigner(openKey(file, material, version.resource), pool)
      } finally {
        material.fill(0)
      }
    },
  }
}

type Unsealed = { readonly file: SealedFile; readonly material: Bytes }

/** A rekey may end between the two reads; the file then names a key that is gone: it is read again. */
async function unsealed(config: LocalConfig, resource: string, again = true): Promise<Unsealed> {
  const file = await readSealedFile(config.directory, resource)
  using keys = await rereadMasterKeys(config.masterKeyFile)
  if (again && !masterKeyNamed(file.masterKey, keys)) return await unsealed(config, resource, false)
  return { file, material: unseal(file, keys) }
}

/** Parsed once: a key parsed per signature would double its cost. */
type OpenKey = {
  readonly algorithm: Algorithm
  readonly key: KeyObject
  readonly spki: Bytes | undefined
}

function openKey(file: SealedFile, material: Bytes, resource: string): OpenKey {
  const row = algorithm(file.algorithm)
  if (row.kty === 'oct') {
    const key = createSecretKey(material)
    assertFits(key, row)
    return { algorithm: row, key, spki: undefined }
  }
  const key = privateKey(material, resource)
  const publicKey = createPublicKey(key)
  const spki = spkiOf(publicKey)
  if (!file.spki || !equalBytes(spki, file.spki)) {
    throw keyUnusable('The sealed file has the public key of another pair', resource)
  }
  assertFits(publicKey, row)
  return { algorithm: row, key, spki }
}

function privateKey(material: Bytes, resource: string): KeyObject {
  const der = Buffer.from(material.buffer, material.byteOffset, material.length) // no copy to zero
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  } catch (cause) {
    throw keyUnusable('What is sealed is no private key', resource, cause)
  }
}

/**
 * RSASSA-PKCS1-v1_5 from its parts (RFC 8017 §8.2.1). Node hashes whatever else it signs, so there is no
 * honest way to sign a digest with PSS or ECDSA; and it has this only in the main thread: 0.7 ms with
 * RSA-3072, 1.4 ms with RSA-4096.
 */
function signLocalDigest(key: KeyObject, row: Algorithm, digest: Bytes): Bytes {
  if (!localSignsDigests(row)) {
    throw new ServiceError('vault_key_unusable', `The vault signs no digests with ${row.name}`)
  }
  return new Uint8Array(privateEncrypt(key, digestInfo(row.hash, digest)))
}

const signInPool = promisify(sign)

/** One algorithm per key: RSA would sign RS256 and PS256 alike. */
function localSigner({ algorithm: row, key, spki }: OpenKey, pool: Bulkhead): OpenedSigner {
  return {
    custody: 'software',

    async publicKey(signal) {
      signal.throwIfAborted()
      return spki
    },

    async sign({ message, digest }, { name }, signal) {
      signal.throwIfAborted()
      if (name !== row.name) {
        throw new ServiceError('vault_key_unusable', `The key signs ${row.name} only`)
      }
      if (message === undefined) return signLocalDigest(key, row, digest)
      const pooled = (work: () => Promise<Uint8Array>) => within(pool.run(work, signal), signal)
      switch (row.kty) {
        case 'RSA': {
          const padding = padded(key, row.padding)
          return new Uint8Array(await pooled(() => signInPool(row.hash, message, padding)))
        }
        case 'EC': {
          // P-256 takes 25 µs, less than the way to a thread and back; P-384 and P-521 0.8 and 1.9 ms.
          const isQuick = row.crv === 'P-256'
          const der = isQuick
            ? sign(row.hash, message, key)
            : await pooled(() => signInPool(row.hash, message, key))
          return derToJose(der, row) // Node's own ieee-p1363 costs 25 µs more
        }
        case 'OKP':
          return new Uint8Array(sign(null, message, key))
        case 'oct':
          return new Uint8Array(createHmac(row.hash, key).update(message).digest())
      }
    },
  }
}
