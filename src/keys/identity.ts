import { type Bytes, equalBytes } from '../lib/bytes.ts'
import type { AlgorithmName } from '../signing/algorithms.ts'
import type { KeyVersion } from './version.ts'

/** By what a key is recognised: its public half, or the answer of its secret to a fixed text. */
export type KeyIdentity = { readonly spki: Bytes } | { readonly knownAnswer: Bytes }

/** Whether a version is this key pair, or this secret with this algorithm. */
export function isSameKey(
  version: KeyVersion,
  algorithm: AlgorithmName,
  identity: KeyIdentity,
): boolean {
  if ('spki' in identity) return isEqual(version.spki, identity.spki)
  return version.algorithm === algorithm && isEqual(version.knownAnswer, identity.knownAnswer)
}

function isEqual(one: Bytes | undefined, other: Bytes): boolean {
  return one !== undefined && equalBytes(one, other)
}
