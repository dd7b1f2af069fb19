import { constants } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { ServiceError } from '../errors.ts'
import { readMountedSecret } from '../lib/file.ts'

/** PEM, as it is in files: a chain with its private key, and who signs the certificates of callers. */
export type TlsFiles = {
  readonly certificateFile: string
  readonly keyFile: string
  readonly clientCaFile?: string | undefined
}

/** A private key and a certificate chain are much smaller. */
const keyBytesMax = 65_536

/** What a listener is set up with, and again when a file has changed. */
export type TlsMaterial = SecureContextOptions & { readonly key: Buffer; readonly cert: Buffer }

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
  const material = { cert, key, ...(ca && { ca }), minVersion: 'TLSv1.2', secureOptions } as const
  try {
    createSecureContext(material)
    return material
  } catch (cause) {
    const message = `${certificateFile} and ${keyFile} are not a PEM certificate chain and its private key`
    throw new ServiceError('config_invalid', `${message}: correct tls in the configuration`, {
      cause,
    })
  }
}

async function readPublic(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    const message = `${file} cannot be read: correct tls in the configuration`
    throw new ServiceError('config_invalid', message, { cause })
  }
}

/** Whether two readings are of the same files; it is looked at for changes, not for secrets. */
export function isSameMaterial(a: TlsMaterial, b: TlsMaterial): boolean {
  return text(a) === text(b)
}

function text({ cert, key, ca }: TlsMaterial): string {
  return [cert, key, ca ?? ''].map(String).join('\n')
}

/** A certificate that nobody we know has signed is worse than none: the connection ends. */
export function isForged(socket: TLSSocket): boolean {
  return !socket.authorized && socket.getPeerX509Certificate() !== undefined
}
