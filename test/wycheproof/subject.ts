import type { KeyObject } from 'node:crypto'
import type { LocalConfig } from '../../providers/local/config.ts'
import { type Bytes, decodeBase64url } from '../../src/lib/bytes.ts'
import { parseJson } from '../../src/lib/json.ts'
import { checkHeader } from '../../src/policy/signing-input.ts'
import {
  algorithm,
  type AlgorithmName,
  type PublicAlgorithm,
} from '../../src/signing/algorithms.ts'
import { derToJose, joseToDer } from '../../src/signing/ecdsa.ts'
import { assertFits, type PublicKey, publicKeyFromSpki } from '../../src/signing/public-key.ts'
import { signMessage } from '../../src/signing/sign.ts'
import { verifies, verifiesInPool } from '../../src/signing/verify.ts'
import { openVersion, sealKey } from '../support/vault-directory.ts'

/** What is tested: our own wrappers, one by one, so that a test can put a bug into any of them. */
export type Subject = {
  readonly publicKeyFromSpki: typeof publicKeyFromSpki
  readonly assertFits: typeof assertFits
  readonly verifies: (
    key: PublicKey,
    row: PublicAlgorithm,
    message: Uint8Array,
    signature: Uint8Array,
  ) => boolean | Promise<boolean>
  readonly derToJose: typeof derToJose
  readonly joseToDer: typeof joseToDer
  readonly decodeBase64url: typeof decodeBase64url
  readonly parseJson: typeof parseJson
  readonly checkHeader: typeof checkHeader
  /** With a key that an operator brought: sealed, opened and asked as `serve` would. */
  readonly sign: (key: KeyObject, name: AlgorithmName, message: Uint8Array) => Promise<Bytes>
}

/** @param vault a local one, for the private keys and secrets of the files. */
export function ourSubject(vault: LocalConfig): Subject {
  let sealed = 0
  return {
    publicKeyFromSpki,
    assertFits,
    verifies: verifiesBothWays,
    derToJose,
    joseToDer,
    decodeBase64url,
    parseJson,
    checkHeader,
    async sign(key, name, message) {
      sealed += 1
      const resource = await sealKey(vault, { name: `vector@${sealed}`, algorithm: name, key })
      const signer = await openVersion(vault, resource, name)
      const spki = await signer.publicKey(signal)
      const publicKey = spki && publicKeyFromSpki(spki)
      return signMessage({ signer, algorithm: algorithm(name), publicKey }, message, signal)
    },
  }
}

const { signal } = new AbortController()

/** The main thread and the pool are two ways to one answer. */
const verifiesBothWays: Subject['verifies'] = async (...asked) => {
  const here = verifies(...asked)
  const there = await verifiesInPool(...asked)
  if (here !== there) throw new Error('verifies and verifiesInPool disagree')
  return here
}
