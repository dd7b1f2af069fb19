import { createPublicKey } from 'node:crypto'
import { utf8 } from '../../src/lib/bytes.ts'
import { type AlgorithmName, algorithm } from '../../src/signing/algorithms.ts'
import type { MemoryKey } from './memory-key.ts'

/** A segment of a JWS, of a text as it stands. */
export function segmentOf(text: string): string {
  return Buffer.from(text).toString('base64url')
}

export function segment(value: unknown): string {
  return segmentOf(JSON.stringify(value))
}

const patience = new AbortController().signal

/** Signs whatever it is given: what a token should not say is for the tests to choose. */
export async function signed(
  signingInput: string,
  key: MemoryKey,
  alg: AlgorithmName = key.name,
): Promise<string> {
  const input = { message: utf8(signingInput), digest: undefined }
  const signature = await key.signer.sign(input, algorithm(alg), patience)
  return `${signingInput}.${Buffer.from(signature).toString('base64url')}`
}

/** An honest token, but for what the header's part says. */
export async function tokenOf(
  key: MemoryKey,
  claims: object,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const whole = { alg: key.name, kid: 'one', typ: 'JWT', ...header }
  return signed(`${segment(whole)}.${segment(claims)}`, key)
}

/** As an issuer publishes it; `kid` is `one` unless told. */
export function publicJwk(
  { secret }: MemoryKey,
  members: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return { kid: 'one', ...createPublicKey(secret).export({ format: 'jwk' }), ...members }
}
