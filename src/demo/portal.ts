import { randomBytes } from 'node:crypto'
import { compactVerify } from 'jose'
import { encodeBytes, utf8 } from '../lib/bytes.ts'
import { signingInput } from './signing-input.ts'

/** What a portal for API keys shows once; it keeps the secret, too. */
export type PortalKey = { readonly keyId: string; readonly secret: string }

const header = { alg: 'HS256', typ: 'JWT' }

export function generatePortalKey(): PortalKey {
  return {
    keyId: `key-${encodeBytes(randomBytes(8), 'hex')}`,
    secret: encodeBytes(randomBytes(32), 'base64url'),
  }
}

/** What the portal's SDK assembles on a device, and has signed by whoever has the key. */
export function sdkToken(keyId: string, device: string): string {
  return signingInput(header, { key_id: keyId, fingerprint: device })
}

/** The portal knows its keys by their ids, and takes the very members that its SDK sends. */
export async function isPortalToken(
  jwt: string,
  { keyId, secret }: PortalKey,
  device: string,
): Promise<boolean> {
  try {
    await compactVerify(jwt, utf8(secret), { algorithms: ['HS256'] })
    return jwt.startsWith(`${sdkToken(keyId, device)}.`)
  } catch {
    return false
  }
}
