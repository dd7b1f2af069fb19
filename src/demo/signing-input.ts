import { encodeBytes, utf8 } from '../lib/bytes.ts'

/** `<header>.<payload>` as an application assembles it: RFC 7515 §5.1, without the signature. */
export function signingInput(header: object, payload: object): string {
  return [header, payload]
    .map((part) => encodeBytes(utf8(JSON.stringify(part)), 'base64url'))
    .join('.')
}
