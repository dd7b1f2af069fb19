import { constants, createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { ServiceError } from '../errors.ts'
import { equalBytes } from '../lib/bytes.ts'
import { readMountedSecret } from '../lib/file.ts'

/** PEM, as it is in files: a chain with its private key, and who signs the certificates of callers. */
export type TlsFiles = {
  readonly certificateFile: string
  readonly keyFile: string
  readonly clientCaFile?: string | undefined
}

/** A private key and a certificate chain are much smaller. */
const keyBytesMax = 65_536

/** https://www.rfc-editor.org/rfc/rfc9325#section-4.2: all of TLS 1.3, and of 1.2 what keeps secrets forward. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE+AESGCM',
  'ECDHE+CHACHA20',
].join(':')

/** What a listener is set up with, and again when a file has changed. */
export type TlsMaterial = SecureContextOptions & {
  readonly key: Buffer
  readonly cert: Buffer
  readonly ca?: Buffer
}

/**
 * Reads the files and sees that they fit together.
 *
 * @throws {ServiceError} `config_invalid`, with the file and what to do.
 */
export async function readTlsFiles(files: TlsFiles): Promise<TlsMaterial> {
  const { certificateFile, keyFile, clientCaFile } = files
  const [cert, key, ca] = await Promise.all([
    readPublic(certificateFile),
    readMountedSecret(keyFile, keyBytesMax).then((bytes) => Buffer.from(bytes)),
    clientCaFile === undefined ? undefined : readPublic(clientCaFile),
  ])
  // No tickets: a resumed session would outlive the authority that its certificate was checked with.
  const secureOptions = constants.SSL_OP_NO_TICKET
  const protocol = { minVersion: 'TLSv1.2', ciphers, secureOptions } as const
  const material = { cert, key, ...(ca && { ca }), ...protocol }
  try {
    assertPair(cert, key)
    createSecureContext(material)
  } catch (cause) {
    const message = `${certificateFile} and ${keyFile} are not a PEM certificate chain and its private key`
    throw new ServiceError('config_invalid', `${message}: correct tls in the configuration`, {
      cause,
    })
  }
  try {
    if (ca) assertCertificates(ca)
    return material
  } catch (cause) {
    const message = `${clientCaFile} holds no PEM certificates, or a damaged one`
    throw new ServiceError('config_invalid', `${message}: correct tls in the configuration`, {
      cause,
    })
  }
}

/** OpenSSL compares the two only where they are of one kind. */
function assertPair(cert: Buffer, key: Buffer): void {
  if (certificateOf(cert).checkPrivateKey(createPrivateKey(key))) return
  throw new Error('the private key is that of another certificate')
}

/** OpenSSL takes an empty or broken file for a list of authorities that ends there. */
function assertCertificates(ca: Buffer): void {
  const blocks = ca.toString('latin1').split('-----BEGIN ').slice(1)
  if (blocks.length === 0) throw new Error('nothing in it is PEM')
  for (const block of blocks) void certificateOf(`-----BEGIN ${block}`)
}

/** @throws when it is none. */
function certificateOf(pem: string | Buffer): X509Certificate {
  return new X509Certificate(pem)
}

async function readPublic(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    const message = `${file} cannot be read: correct tls in the configuration`
    throw new ServiceError('config_invalid', message, { cause })
  }
}

/** Whether two readings are of the same files. */
export function isSameMaterial(a: TlsMaterial, b: TlsMaterial): boolean {
  return equalBytes(a.cert, b.cert) && equalBytes(a.key, b.key) && isSameCa(a, b)
}

function isSameCa({ ca: a }: TlsMaterial, { ca: b }: TlsMaterial): boolean {
  return a && b ? equalBytes(a, b) : a === b
}

/** A certificate that nobody we know has signed is worse than none: the connection ends. */
export function isForged(socket: TLSSocket): boolean {
  return !socket.authorized && socket.getPeerX509Certificate() !== undefined
}
