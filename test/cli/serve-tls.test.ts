import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { uri } from '../support/certificates.ts'
import { type Home, homesOfThisFile } from '../support/home.ts'
import { clients, secured, servers } from '../support/secured-home.ts'
import { requestText } from '../support/raw-socket.ts'
import { blogUri, clientOptions, tlsExchange } from '../support/tls-listener.ts'

const homes = homesOfThisFile()
const body = JSON.stringify({ claims: { sub: 'a' } })
const asking = (...headers: readonly string[]) =>
  requestText(
    'POST /v1/keys/first-key/sign HTTP/1.1',
    [
      'Host: localhost',
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'Connection: close',
      ...headers,
    ],
    body,
  )

describe('a real serve with TLS', () => {
  test('signs for a caller by its certificate, and for one by its API key', async () => {
    const home = secured(homes.copy())
    await using serving = await home.serve()
    expect(serving.signUrl).toMatch(/^https:/)
    const ask = async (text: string, names = [uri(blogUri)]) =>
      tlsExchange(serving.signUrl, { servers }, clientOptions(clients.issue({ names })), text)
    const signed = await ask(asking())
    expect(signed.statuses).toEqual([200])
    expect(signed.text).toContain('"jwt":"ey')
    expect((await ask(asking(), [uri('spiffe://acme/other')])).statuses).toEqual([401])
    const bearer = asking(`Authorization: Bearer ${home.apiKey}`)
    expect((await ask(bearer)).statuses).toEqual([400])
    const without = await tlsExchange(serving.signUrl, { servers }, {}, bearer)
    expect(without.statuses).toEqual([200])
    const { exitCode, stderr } = await serving.stop()
    expect(exitCode).toBe(0)
    expect(stderr).toContain('"caller":"first-caller"')
    expect(stderr).not.toContain('PRIVATE KEY')
  })

  const damages: readonly (readonly [string, (home: Home) => void, RegExp])[] = [
    ['missing', ({ at }) => rmSync(at('tls.key')), /tls\.key does not exist/],
    ['open to others', ({ at }) => chmodSync(at('tls.key'), 0o644), /tls\.key is open to other/],
    [
      'another’s',
      ({ at }) => writeFileSync(at('tls.key'), clients.key),
      /tls\.crt and .*tls\.key are not a PEM certificate chain and its private key/,
    ],
  ]

  test.each(damages)(
    'does not start when its key is %s; config check says so',
    async (...given) => {
      const [, damage, words] = given
      const home = secured(homes.copy())
      damage(home)
      for (const command of [['serve'], ['config', 'check']]) {
        const { exitCode, stdout, stderr } = await home.run(command)
        expect([exitCode, stdout]).toEqual([2, ''])
        expect(stderr).toMatch(words)
        expect(stderr).toContain(join(home.directory, 'var'))
      }
    },
  )
})
