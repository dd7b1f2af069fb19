import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { ServiceError } from '../errors.ts'
import { parseJson } from '../lib/json.ts'
import {
  type FingerprintName,
  fingerprintNames,
  fingerprints,
  type Fingerprints,
} from '../signing/fingerprint.ts'
import { describeKey, spkiOf } from '../signing/public-key.ts'

export type FileFingerprints = { readonly kind: string; readonly fingerprints: Fingerprints }

/**
 * Every fingerprint of what a file holds: PEM (public key, private key, certificate), JWK or DER. Of
 * a private key only the public half is looked at.
 *
 * @throws {ServiceError} `usage`; the message never shows what was read.
 */
export function fingerprintsOfFile(bytes: Uint8Array): FileFingerprints {
  const object = readPublicKey(bytes)
  const kind = describeKey(object)
  try {
    return { kind, fingerprints: fingerprints({ object, spki: spkiOf(object) }) }
  } catch (cause) {
    throw new ServiceError('usage', `The file holds ${kind}, which has no fingerprints here`, {
      cause,
    })
  }
}

/** @throws {ServiceError} `usage`. */
export function fingerprintOf(all: Fingerprints, name: string): string {
  const known = fingerprintNames.find((format): format is FingerprintName => format === name)
  const value = known && all[known]
  if (value !== undefined) return value
  throw new ServiceError('usage', `--format is one of ${fingerprintNames.join(', ')}`)
}

/** Tried in this order; each throws for what is not its own. */
const readers: readonly ((bytes: Buffer) => KeyObject)[] = [
  (pem) => createPublicKey(pem),
  (text) => createPublicKey({ key: jwk.parse(parseJson(text.toString('utf8'))), format: 'jwk' }),
  (der) => new X509Certificate(der).publicKey,
  (der) => createPublicKey({ key: der, format: 'der', type: 'spki' }),
  (der) => createPublicKey({ key: der, format: 'der', type: 'pkcs1' }),
  (der) => createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })),
  (der) => createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs1' })),
  (der) => createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'sec1' })),
]

/** Public members only: `d` and its like are dropped before anything looks at the key. */
const jwk = z.object({
  kty: z.string(),
  crv: z.string().exactOptional(),
  x: z.string().exactOptional(),
  y: z.string().exactOptional(),
  n: z.string().exactOptional(),
  e: z.string().exactOptional(),
})

function readPublicKey(bytes: Uint8Array): KeyObject {
  for (const read of readers) {
    try {
      return read(Buffer.from(bytes))
    } catch {
      // Not this form: the next one.
    }
  }
  const forms = 'PEM, JWK or DER of a public key, a private key or a certificate'
  throw new ServiceError('usage', `The file holds no key that can be read: give it ${forms}`)
}
