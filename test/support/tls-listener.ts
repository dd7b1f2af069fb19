import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { apiKeyAuthenticator, createApiKey } from '../../src/auth/api-key.ts'
import { authenticator } from '../../src/auth/caller.ts'
import { certificateAuthenticator } from '../../src/auth/client-certificate.ts'
import { openSignListener } from '../../src/compose/sign-listener.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { metrics } from '../../src/ops/metrics.ts'
import { logger } from '../../src/lib/log.ts'
import { type Authority, authority, dns, ip4, type Issued } from './certificates.ts'
import { goodClaims, house } from './house.ts'
import { manualClock } from './manual-clock.ts'
import { type Exchange, read, requestText } from './raw-socket.ts'
import { signListener } from './sign-listener.ts'

/** The URI of the only caller with a certificate. */
export const blogUri = 'spiffe://acme/blog'

/** The files of a listener, as an operator keeps them. */
export type TlsHome = {
  readonly directory: string
  readonly files: Record<'certificateFile' | 'keyFile' | 'clientCaFile', string>
  /** Signs the certificates of callers. */
  readonly clients: Authority
  /** Signs the listener's. */
  readonly servers: Authority
  readonly write: (name: 'certificateFile' | 'keyFile' | 'clientCaFile', text: string) => void
}

export function tlsHome(): TlsHome {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-tls-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const at = (name: string) => join(directory, name)
  const files = {
    certificateFile: at('tls.crt'),
    keyFile: at('tls.key'),
    clientCaFile: at('ca.crt'),
  }
  const [clients, servers] = [authority('clients'), authority('servers')]
  const home: TlsHome = {
    directory,
    files,
    clients,
    servers,
    write: (name, text) => writeFileSync(files[name], text, { mode: 0o600 }),
  }
  serverCertificate(home)
  home.write('clientCaFile', clients.certificate)
  return home
}

/** A new one, in place. */
export function serverCertificate({ servers, write }: TlsHome, commonName = 'chancery'): Issued {
  const issued = servers.issue({ commonName, names: [dns('localhost'), ip4(127, 0, 0, 1)] })
  write('certificateFile', issued.certificate)
  write('keyFile', issued.key)
  return issued
}

/** The whole sign listener behind TLS; `look` is the next look at the files. */
export async function tlsListener(home: TlsHome) {
  const clock = manualClock(systemClock.now())
  const apiKey = createApiKey()
  const lines: string[] = []
  const log = logger({ write: (line) => lines.push(line) })
  const listener = await signListener(house(), {
    log,
    authenticator: authenticator({
      apiKey: apiKeyAuthenticator([{ name: 'blog-backend', apiKeys: [apiKey.record] }]),
      oidc: { authenticate: async () => ({ refused: 'unknown_issuer' }) },
      certificate: certificateAuthenticator([{ name: 'blog-backend', uri: blogUri }], clock),
    }),
  })
  const measured = metrics({
    activeKeys: () => 1,
    usableKeys: () => 1,
    isReady: () => true,
    conditions: () => [],
    clocks: () => [],
  })
  const looks: (() => Promise<void>)[] = []
  const stopped: string[] = []
  const server = await openSignListener(
    listener.app,
    { address: { host: '127.0.0.1', port: 0 }, tls: home.files },
    {
      requestId: () => 'an-id',
      measured,
      log,
      looking: (look) => {
        looks.push(look)
        return { [Symbol.dispose]: () => void stopped.push('looking') }
      },
    },
  )
  onTestFinished(() => server.close(0))
  const look = async () => {
    for (const each of looks) await each()
  }
  return { ...listener, server, clock, lines, look, stopped, measured, apiKey: apiKey.text }
}

/** A request for a signature, after which the server may close. */
export function signText(headers: readonly string[] = ['Connection: close']): string {
  const body = JSON.stringify(goodClaims)
  return requestText(
    'POST /v1/keys/reports/sign HTTP/1.1',
    ['Host: c', 'Content-Type: application/json', `Content-Length: ${body.length}`, ...headers],
    body,
  )
}

/** A connection that trusts the listener, with these credentials. */
export async function tlsDial(
  url: string,
  { servers }: Pick<TlsHome, 'servers'>,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const { port } = new URL(url)
  const ca = servers.certificate
  const socket = connect({ host: '127.0.0.1', port: Number(port), ca, ...options })
  await once(socket, 'secureConnect')
  return socket
}

/** One request on a connection of its own. */
export async function tlsExchange(
  url: string,
  home: Pick<TlsHome, 'servers'>,
  options: ConnectionOptions = {},
  sent = signText(),
): Promise<Exchange> {
  const socket = await tlsDial(url, home, options)
  const closed = read(socket)
  socket.write(sent)
  return closed
}

export function clientOptions({ certificate: cert, key }: Issued): ConnectionOptions {
  return { cert, key }
}
