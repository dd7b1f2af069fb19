import { once } from 'node:events'
import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { authority, uri } from '../support/certificates.ts'
import { read } from '../support/raw-socket.ts'
import {
  blogUri,
  clientOptions,
  serverCertificate,
  signText,
  tlsDial,
  tlsExchange,
  type TlsHome,
  tlsHome,
  tlsListener,
} from '../support/tls-listener.ts'

const names = [uri(blogUri)]

/** The common name of the certificate that a new connection is shown. */
async function shown(url: string, home: TlsHome): Promise<unknown> {
  const socket = await tlsDial(url, home)
  const { subject } = socket.getPeerCertificate()
  socket.destroy()
  return subject.CN
}

const events = (lines: readonly string[]) =>
  lines
    .map((line): { event: string; error?: string } => JSON.parse(line))
    .filter(({ event }) => event.includes('certificate'))
    .map(({ event, error = '' }) => `${event} ${error}`.trim())

const kept = 'the new certificate cannot be used: the old one stays'

describe('files that were replaced', () => {
  test('a new certificate is shown to new connections; an open one goes on', async () => {
    const home = tlsHome()
    const { server, look, lines } = await tlsListener(home)
    const socket = await tlsDial(server.url, home, clientOptions(home.clients.issue({ names })))
    const closed = read(socket)
    socket.write(signText([]))
    await once(socket, 'data')
    await look()
    expect(await shown(server.url, home)).toBe('chancery')
    serverCertificate(home, 'renewed')
    await look()
    expect(await shown(server.url, home)).toBe('renewed')
    socket.write(signText())
    expect((await closed).statuses).toEqual([200, 200])
    await look()
    expect(events(lines)).toEqual(['certificate renewed'])
  })

  test('a new authority is the only one for new connections', async () => {
    const home = tlsHome()
    const { server, look } = await tlsListener(home)
    const next = authority('the next')
    const asked = async (by: typeof next) => {
      const options = clientOptions(by.issue({ names }))
      return (await tlsExchange(server.url, home, options)).statuses
    }
    expect([await asked(home.clients), await asked(next)]).toEqual([[200], []])
    home.write('clientCaFile', home.clients.certificate + next.certificate)
    await look()
    expect([await asked(home.clients), await asked(next)]).toEqual([[200], [200]])
    home.write('clientCaFile', next.certificate)
    await look()
    expect([await asked(home.clients), await asked(next)]).toEqual([[], [200]])
  })

  test('and one that renewed them still has no sessions and no old protocols', async () => {
    const home = tlsHome()
    const { server, look } = await tlsListener(home)
    serverCertificate(home, 'renewed')
    await look()
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const
    await expect(tlsDial(server.url, home, old)).rejects.toThrow(/protocol version/)
    const options = { maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' } as const
    const first = await tlsDial(server.url, home, options)
    const session = first.getSession()
    first.destroy()
    const second = await tlsDial(server.url, home, { ...options, ...(session && { session }) })
    expect(second.isSessionReused()).toBe(false)
    second.destroy()
  })
})

describe('a replacement that cannot be used', () => {
  const damages: readonly (readonly [string, (home: TlsHome) => void, RegExp])[] = [
    ['a key that is another’s', ({ write, servers }) => write('keyFile', servers.key), /tls\.key/],
    ['a cut certificate', ({ write }) => write('certificateFile', '-----BEGIN '), /tls\.crt/],
    ['no authority', ({ write }) => write('clientCaFile', ''), /ca\.crt/],
    [
      'a key open to others',
      ({ files }) => chmodSync(files.keyFile, 0o644),
      /tls\.key is open to other users: chmod 600/,
    ],
  ]

  test.each(damages)('%s: the old one stays, and it is said once', async (_, damage, words) => {
    const home = tlsHome()
    const { server, look, lines } = await tlsListener(home)
    damage(home)
    for (let i = 0; i < 3; i += 1) await look()
    const certificate = clientOptions(home.clients.issue({ names }))
    expect((await tlsExchange(server.url, home, certificate)).statuses).toEqual([200])
    expect(events(lines)).toEqual([expect.stringMatching(`^${kept} ServiceError: .*`)])
    expect(lines.join('')).toMatch(words)
    expect(lines.join('')).not.toContain('PRIVATE KEY')

    chmodSync(home.files.keyFile, 0o600)
    home.write('clientCaFile', home.clients.certificate)
    serverCertificate(home, 'repaired')
    await look()
    expect(await shown(server.url, home)).toBe('repaired')
    damage(home)
    await look()
    expect(events(lines).map((event) => event.replace(/ ServiceError.*/, ''))).toEqual([
      kept,
      'certificate renewed',
      kept,
    ])
  })
})

test('a mounted secret, whose files are links that are swapped all at once, is followed', async () => {
  const home = tlsHome()
  const volume = join(home.directory, 'volume')
  const publish = (name: string) => {
    const { certificate, key } = serverCertificate(home, name)
    const revision = join(volume, `..${name}`)
    mkdirSync(revision, { recursive: true })
    writeFileSync(join(revision, 'tls.crt'), certificate, { mode: 0o440 })
    writeFileSync(join(revision, 'tls.key'), key)
    chmodSync(join(revision, 'tls.key'), process.geteuid?.() === 0 ? 0o440 : 0o400)
    symlinkSync(`..${name}`, join(volume, '..data_tmp'))
    renameSync(join(volume, '..data_tmp'), join(volume, '..data'))
  }
  publish('first')
  for (const file of ['tls.crt', 'tls.key']) symlinkSync(`..data/${file}`, join(volume, file))
  const certificateFile = join(volume, 'tls.crt')
  const files = { ...home.files, certificateFile, keyFile: join(volume, 'tls.key') }
  const { server, look, lines } = await tlsListener({ ...home, files })
  expect(await shown(server.url, home)).toBe('first')
  publish('second')
  await look()
  expect(await shown(server.url, home)).toBe('second')
  expect(events(lines)).toEqual(['certificate renewed'])
})

test('a listener that has closed looks at no files any more', async () => {
  const { server, stopped } = await tlsListener(tlsHome())
  await server.close(0)
  expect(stopped).toEqual(['looking'])
})
