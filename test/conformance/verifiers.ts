import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { compactVerify, flattenedVerify } from 'jose'
import { encodeBytes, type Bytes, utf8 } from '../../src/lib/bytes.ts'
import type { Algorithm, PublicAlgorithm } from '../../src/signing/algorithms.ts'

/** Verification as others do it: Node and jose, with none of our own conversions in between. */

const hashBytes = { sha256: 32, sha384: 48, sha512: 64 } as const

export function publicKeyOf(spki: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
}

/** @param saltBytes of PSS, exactly; as long as the hash unless the test says otherwise. */
export function nodeVerifies(
  key: KeyObject,
  algorithm: PublicAlgorithm,
  message: Uint8Array,
  signature: Uint8Array,
  saltBytes?: number,
): boolean {
  switch (algorithm.kty) {
    case 'RSA': {
      if (algorithm.padding === 'pkcs1') return verify(algorithm.hash, message, key, signature)
      const saltLength = saltBytes ?? hashBytes[algorithm.hash]
      const padding = constants.RSA_PKCS1_PSS_PADDING
      return verify(algorithm.hash, message, { key, padding, saltLength }, signature)
    }
    case 'EC':
      return verify(algorithm.hash, message, { key, dsaEncoding: 'ieee-p1363' }, signature)
    case 'OKP':
      return verify(null, message, key, signature)
  }
}

export type Jws = {
  readonly protected: string
  readonly payload: string
  readonly signature: string
}

/** A JWS (RFC 7515 §3.1) over a fixed payload; `sign` is given its signing input. */
export async function jwsOf(
  { name }: Algorithm,
  sign: (signingInput: Bytes) => Promise<Bytes>,
): Promise<Jws> {
  const header = encodeBytes(utf8(`{"alg":"${name}"}`), 'base64url')
  const payload = encodeBytes(utf8('{"sub":"42"}'), 'base64url')
  const signature = await sign(utf8(`${header}.${payload}`))
  return { protected: header, payload, signature: encodeBytes(signature, 'base64url') }
}

/** Whether jose takes it in the compact form and in the flattened one; both must agree. */
export async function joseVerifies(
  jws: Jws,
  key: KeyObject,
  { name }: Algorithm,
): Promise<boolean> {
  const options = { algorithms: [name] }
  const compact = `${jws.protected}.${jws.payload}.${jws.signature}`
  const answers = await Promise.all([
    accepts(compactVerify(compact, key, options)),
    accepts(flattenedVerify(jws, key, options)),
  ])
  const [first, second] = answers
  if (first !== second) throw new Error('compact and flattened verification disagree')
  return first
}

/** Only a signature that does not verify is a no; a key that jose cannot use is an error. */
async function accepts(verifying: Promise<unknown>): Promise<boolean> {
  try {
    await verifying
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === badSignature) return false
    throw error
  }
}

const badSignature = 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED'
