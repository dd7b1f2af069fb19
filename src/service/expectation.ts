import { ServiceError } from '../errors.ts'
import { type Bytes, decodeBase64, decodeHex, equalBytes } from '../lib/bytes.ts'
import {
  type FingerprintName,
  fingerprintNames,
  fingerprints,
  type Fingerprints,
} from '../signing/fingerprint.ts'
import type { PublicKey } from '../signing/public-key.ts'

/** A fingerprint that somebody has read at a registry, in the format whose name it was given with. */
export type Expectation = {
  readonly name: FingerprintName
  /** As it was given. */
  readonly value: string
}

/** All are SHA-256. */
const digestBytes = 32

/**
 * `github=SHA256:…`, for comparing with a key. GitHub's and OpenSSH's with or without `SHA256:`.
 *
 * @throws {ServiceError} `usage`, with the list of names, for a value without one; and for what is no
 *   such fingerprint.
 */
export function readExpectation(text: string): Expectation {
  const [, named = '', value = ''] = /^([a-z0-9-]+)=(.+)$/s.exec(text.trim()) ?? []
  const name = fingerprintNames.find((known) => known === named)
  if (!name) {
    const names = fingerprintNames.map((known) => `${known}=…`).join(', ')
    const message = `A fingerprint needs the name of its format, since several are called that: ${names}`
    throw new ServiceError('usage', message)
  }
  const expectation = { name, value: value.trim() }
  digestOf(expectation)
  return expectation
}

/**
 * Compares what was expected with the key that came: digests, not their spelling.
 *
 * @throws {ServiceError} `refused`, with both in the same format.
 */
export function assertExpected(key: PublicKey, expectations: readonly Expectation[]): void {
  const actual = fingerprints(key)
  const issues = expectations.flatMap((expectation) => differenceOf(expectation, actual) ?? [])
  if (issues.length === 0) return
  const message = 'This is not the key that was expected: nothing was uploaded'
  throw new ServiceError('refused', message, { details: { issues } })
}

function differenceOf(expectation: Expectation, actual: Fingerprints) {
  const { name, value } = expectation
  const own = actual[name]
  const digest = digestOf(expectation)
  if (own !== undefined && isDigest(name, own, digest)) return undefined
  const other = fingerprintNames.find((format) => isDigest(format, actual[format], digest))
  const hint = other ? `: it is the key’s ${other} fingerprint, say ${other}=…` : ''
  return { path: name, message: `expected ${value}, and the key has ${own ?? 'none'}${hint}` }
}

function isDigest(name: FingerprintName, value: string | undefined, digest: Bytes): boolean {
  return value !== undefined && equalBytes(digestOf({ name, value }), digest)
}

function digestOf({ name, value }: Expectation): Bytes {
  const digest = decoded(name, value)
  if (digest?.length === digestBytes) return digest
  throw new ServiceError('usage', `${value} is no ${name} fingerprint: copy it again, in full`)
}

function decoded(name: FingerprintName, value: string): Bytes | undefined {
  try {
    if (name === 'spki-sha256-hex') return decodeHex(value.replaceAll(':', ''))
    const isPrefixed = name === 'github' || name === 'ssh'
    return decodeBase64(isPrefixed ? value.replace(/^SHA256:/i, '') : value)
  } catch {
    return undefined
  }
}
