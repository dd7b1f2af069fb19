import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { systemClock } from '../../src/lib/clock.ts'

/** X.509 as tests need it, odd names included: RFC 5280 §4.1, in DER. */

export type Issued = { readonly certificate: string; readonly key: string }

export type Authority = Issued & { readonly name: string; readonly issue: (part?: Part) => Issued }

export type Part = {
  readonly commonName?: string
  /** GeneralNames, made by `uri` and the others. */
  readonly names?: readonly Buffer[]
  /** From now; both may lie in the past. */
  readonly validForMs?: number
  readonly usage?: 'client' | 'server'
  readonly keyType?: 'P-256' | 'rsa'
}

const hourMs = 3_600_000

/** RFC 5280 §4.2.1.6, and what else a certificate may call its owner. */
export const uri = (text: string): Buffer => der(0x86, Buffer.from(text, 'latin1'))
export const dns = (text: string): Buffer => der(0x82, Buffer.from(text, 'latin1'))
export const ip4 = (...bytes: readonly number[]): Buffer => der(0x87, Buffer.from(bytes))
export const email = (text: string): Buffer => der(0x81, Buffer.from(text, 'latin1'))
export const directory = (text: string): Buffer => der(0xa4, distinguishedName(text))

/** An authority of its own; two of the same name have different keys. */
export function authority(name = 'an authority'): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = { name, key: privateKey }
  const extensions = [extension('551d13', der(0x30, der(0x01, Buffer.of(0xff))))] // cA
  const now = systemClock.now()
  const validity = { from: now - 2 * hourMs, to: now + hourMs }
  const own = { issuer, subject: name, publicKey, validity, extensions }
  return {
    name,
    certificate: certificate(own),
    key: pem(privateKey),
    issue: (part = {}) => issued(issuer, part),
  }
}

type Issuer = { readonly name: string; readonly key: KeyObject }

function issued(issuer: Issuer, part: Part): Issued {
  const { commonName = 'somebody', names = [], validForMs = hourMs, usage } = part
  const { privateKey, publicKey } =
    part.keyType === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const extensions = [
    ...(names.length === 0 ? [] : [extension('551d11', der(0x30, ...names))]),
    ...(usage === undefined ? [] : [extension('551d25', der(0x30, oid(purposes[usage])))]),
  ]
  const now = systemClock.now()
  const validity = { from: now - 2 * hourMs, to: now + validForMs }
  const own = { issuer, subject: commonName, publicKey, validity, extensions }
  return { certificate: certificate(own), key: pem(privateKey) }
}

/** RFC 5280 §4.2.1.12 */
const purposes = { server: '2b06010505070301', client: '2b06010505070302' } as const

type Contents = {
  readonly issuer: Issuer
  readonly subject: string
  readonly publicKey: KeyObject
  readonly validity: { readonly from: number; readonly to: number }
  readonly extensions: readonly Buffer[]
}

function certificate({ issuer, subject, publicKey, validity, extensions }: Contents): string {
  const algorithm = der(0x30, oid('2a8648ce3d040302')) // ecdsa-with-SHA256
  const toBeSigned = der(
    0x30,
    der(0xa0, der(0x02, Buffer.of(2))), // version 3
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    distinguishedName(issuer.name),
    der(0x30, utcTime(validity.from), utcTime(validity.to)),
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0 ? [] : [der(0xa3, der(0x30, ...extensions))]),
  )
  const signature = sign('sha256', toBeSigned, issuer.key)
  const whole = der(0x30, toBeSigned, algorithm, der(0x03, Buffer.of(0), signature))
  const lines = whole.toString('base64').replaceAll(/.{1,64}/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function extension(id: string, value: Buffer): Buffer {
  return der(0x30, oid(id), der(0x04, value))
}

function distinguishedName(commonName: string): Buffer {
  return der(0x30, der(0x31, der(0x30, oid('550403'), der(0x0c, Buffer.from(commonName)))))
}

function utcTime(epochMs: number): Buffer {
  const digits = new Date(epochMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return der(0x17, Buffer.from(digits.slice(2)))
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const size =
    length < 128
      ? Buffer.of(length)
      : length < 256
        ? Buffer.of(0x81, length)
        : Buffer.of(0x82, length >> 8, length & 0xff)
  return Buffer.concat([Buffer.of(tag), size, content])
}
