import { once } from 'node:events'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { readTlsFiles } from '../../src/listener/tls.ts'
import { authority, uri } from '../support/certificates.ts'
import { read, requestText } from '../support/raw-socket.ts'
import {
  blogUri,
  clientOptions,
  serverCertificate,
  tlsDial,
  type TlsHome,
  tlsHome,
  tlsListener,
} from '../support/tls-listener.ts'

/** What became of a handshake: the protocol, or the error. */
async function handshake(url: string, home: TlsHome, options: ConnectionOptions): Promise<string> {
  const socket = connect({
    host: '127.0.0.1',
    port: Number(new URL(url).port),
    ca: home.servers.certificate,
    ...options,
  })
  try {
    await once(socket, 'secureConnect')
    return socket.getProtocol() ?? ''
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  } finally {
    socket.destroy()
  }
}

const legacy = 'DEFAULT@SECLEVEL=0'

describe('protocols', () => {
  test.each<[string, ConnectionOptions, RegExp]>([
    ['TLS 1.3', { minVersion: 'TLSv1.3' }, /^TLSv1\.3$/],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }, /^TLSv1\.2$/],
    [
      'no TLS 1.1',
      { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: legacy },
      /^ERR_SSL_.*PROTOCOL_VERSION$/,
    ],
    [
      'no TLS 1.0',
      { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: legacy },
      /^ERR_SSL_.*PROTOCOL_VERSION$/,
    ],
    [
      'no cipher without authentication of what it carries',
      { maxVersion: 'TLSv1.2', ciphers: `ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0` },
      /^ERR_SSL_.*HANDSHAKE_FAILURE$/,
    ],
  ])('%s', async (_, options, expected) => {
    const home = tlsHome()
    const { server } = await tlsListener(home)
    expect(await handshake(server.url, home, options)).toMatch(expected)
  })
})

describe('a session', () => {
  /** The session that a connection was given, once there has been an answer on it. */
  async function sessionOf(socket: TLSSocket): Promise<Buffer | undefined> {
    const sessions: Buffer[] = []
    socket.on('session', (session: Buffer) => sessions.push(session))
    const closed = read(socket)
    socket.write(requestText('GET /healthz HTTP/1.1', ['Host: c', 'Connection: close']))
    expect((await closed).statuses).toEqual([200])
    return sessions.at(-1) ?? socket.getSession()
  }

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'of %s is never resumed: every connection shows its certificate anew',
    async (version) => {
      const home = tlsHome()
      const { server } = await tlsListener(home)
      const certificate = clientOptions(home.clients.issue({ names: [uri(blogUri)] }))
      const options = { ...certificate, minVersion: version, maxVersion: version }
      const session = await sessionOf(await tlsDial(server.url, home, options))
      const second = await tlsDial(server.url, home, { ...options, ...(session && { session }) })
      expect(second.isSessionReused()).toBe(false)
      second.destroy()
    },
  )
})

describe('files that cannot serve are refused, by name', () => {
  const other = authority('another')

  test.each<[string, (home: TlsHome) => void, string]>([
    ['a key of another certificate', ({ write }) => write('keyFile', other.key), 'tls.key'],
    [
      'a key of another kind',
      ({ write, servers }) => write('keyFile', servers.issue({ keyType: 'rsa' }).key),
      'tls.key',
    ],
    ['no key', ({ write }) => write('keyFile', ''), 'tls.key'],
    ['no certificate', ({ write }) => write('certificateFile', ''), 'tls.crt'],
    ['half a certificate', cut('certificateFile'), 'tls.crt'],
    ['an empty list of authorities', ({ write }) => write('clientCaFile', ''), 'ca.crt'],
    ['a list that is no PEM', ({ write }) => write('clientCaFile', 'none'), 'ca.crt'],
    ['half an authority', cut('clientCaFile'), 'ca.crt'],
    [
      'an authority and half of another',
      ({ write, clients }) =>
        write('clientCaFile', clients.certificate + other.certificate.slice(0, 300)),
      'ca.crt',
    ],
    [
      'a private key among the authorities',
      ({ write, clients }) => write('clientCaFile', clients.certificate + clients.key),
      'ca.crt',
    ],
  ])('%s', async (_, damage, file) => {
    const home = tlsHome()
    damage(home)
    await expect(readTlsFiles(home.files)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(new RegExp(`${file}.*: correct tls in the configuration$`)),
    })
  })

  function cut(name: 'certificateFile' | 'clientCaFile') {
    return ({ write, clients }: TlsHome) => write(name, clients.certificate.slice(0, 300))
  }

  test('several authorities and a chain are read', async () => {
    const home = tlsHome()
    const { certificate } = serverCertificate(home)
    home.write('certificateFile', certificate + home.servers.certificate)
    home.write('clientCaFile', `# ours\n${home.clients.certificate}\n${other.certificate}`)
    await expect(readTlsFiles(home.files)).resolves.toMatchObject({ minVersion: 'TLSv1.2' })
  })
})
