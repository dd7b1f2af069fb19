import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** A certificate of its own for 127.0.0.1, with its key; PEM. */
export type TestCertificate = { readonly certificate: string; readonly key: string }

/** RFC 5280 §4.1, as little of it as a TLS server needs. */
export function selfSigned(): TestCertificate {
  const pair = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const name = der(0x30, der(0x31, der(0x30, oid('550403'), der(0x0c, Buffer.from('test')))))
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.of(2))), // version 3
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ecdsaSha256,
    name,
    der(0x30, der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('491231235959Z'))),
    name,
    pair.publicKey,
    der(0xa3, der(0x30, subjectAltName)),
  )
  const signature = sign('sha256', body, createPrivateKey(pair.privateKey))
  const whole = der(0x30, body, ecdsaSha256, der(0x03, Buffer.of(0), signature))
  return { certificate: pem(whole), key: pair.privateKey }
}

const ecdsaSha256 = der(0x30, oid('2a8648ce3d040302'))

/** IP address 127.0.0.1. */
const subjectAltName = der(
  0x30,
  oid('551d11'),
  der(0x04, der(0x30, der(0x87, Buffer.of(127, 0, 0, 1)))),
)

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const short = length < 0x80 ? Buffer.of(length) : undefined
  const head =
    short ??
    (length < 0x100 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff))
  return Buffer.concat([Buffer.of(tag), head, content])
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').replace(/.{64}/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}
