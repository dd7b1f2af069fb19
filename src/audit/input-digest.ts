import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { Secret } from '../lib/secret.ts'

/** Turns what was signed into what the audit may hold of it. */
export type InputDigest = (input: Uint8Array) => string

/** Long enough that the key cannot be guessed from digests of guessable inputs. */
export const digestKeyBytes = 32

/** HMAC-SHA-256, base64url: without the key a digest says nothing about a guessable input. */
export function inputDigest(key: Secret): InputDigest {
  const object: KeyObject = createSecretKey(key.reveal())
  return (input) => createHmac('sha256', object).update(input).digest('base64url')
}
