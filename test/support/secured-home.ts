import { writeFileSync } from 'node:fs'
import { authority, dns, ip4 } from './certificates.ts'
import type { Home } from './home.ts'
import { blogUri } from './tls-listener.ts'

/** Who signs the certificates of callers, and of the listener. */
export const clients = authority('clients')
export const servers = authority('servers')

/** A home whose listener has TLS, and whose caller has a certificate beside its API key. */
export function secured(home: Home): Home {
  const put = (name: string, text: string) =>
    writeFileSync(home.at(name), text, { mode: name.endsWith('.key') ? 0o600 : 0o644 })
  const issued = servers.issue({ names: [dns('localhost'), ip4(127, 0, 0, 1)] })
  put('tls.crt', issued.certificate)
  put('tls.key', issued.key)
  put('clients.crt', clients.certificate)
  const files =
    '{ certificateFile: ./var/tls.crt, keyFile: ./var/tls.key, clientCaFile: ./var/clients.crt }'
  home.edit((text) =>
    text
      .replace(/sign: \{ address: (\S+) \}/, `sign: { address: $1, tls: ${files} }`)
      .replace('first-caller: {', `first-caller: { certificate: { uri: '${blogUri}' },`),
  )
  return home
}
