import { describe, expect, onTestFinished, test } from 'vitest'
import { callerAuthenticator } from '../../src/compose/authentication.ts'
import { openSignListener } from '../../src/compose/sign-listener.ts'
import { logger } from '../../src/lib/log.ts'
import { metrics } from '../../src/ops/metrics.ts'
import { house } from '../support/house.ts'
import { manualClock } from '../support/manual-clock.ts'
import { exchange, requestText } from '../support/raw-socket.ts'
import { signListener } from '../support/sign-listener.ts'
import { createApiKey } from '../../src/auth/api-key.ts'

/** Found in every evil text, and in nothing else. */
const mark = 'EVIL!'

/** What would end a line, start another, colour a terminal, or fill a disk. */
const evils: readonly (readonly [string, string])[] = [
  ['a line feed', `${mark}\n{"level":"info","event":"request","code":"ok"}`],
  ['a carriage return', `${mark}\r${mark}`],
  ['both, as a header', `${mark}\r\nX-Injected: ${mark}`],
  ['a colour', `\u001b[31m${mark}\u001b[0m`],
  ['a C1 control', `\u009b31m${mark}`],
  ['a backspace', `${mark}\b\b\b\b`],
  ['a zero byte', `${mark}\0`],
  ['a line separator', `${mark}\u2028${mark}\u2029`],
  ['a line feed, percent-encoded', `${mark}%0a%0d%1b`],
  ['quotes', `${mark}","code":"ok"}`],
  ['format words', `${mark} %s %d %j %o {0} \${jndi:ldap://a}`],
  ['a right-to-left mark', `${mark}\u202e${mark}`],
  ['ten kilobytes', mark.repeat(2_500)],
]

const issuer = 'http://127.0.0.1:9'

async function service() {
  const lines: string[] = []
  const log = logger({ write: (line) => lines.push(line) })
  const apiKey = createApiKey()
  const oidc = {
    issuer,
    audience: 'a',
    match: { sub: 'a' },
    algorithms: ['ES256' as const],
    lifetimeSecondsMax: 60,
    keys: { kind: 'file' as const, file: '/nowhere' },
  }
  const caller = { apiKeys: [apiKey.record], oidc, certificateUri: undefined }
  const callers = [{ name: 'blog-backend', ...caller }]
  const authenticator = callerAuthenticator(callers, { clock: manualClock(), log })
  const { app } = await signListener(house(), { log, authenticator })
  const measured = metrics({
    activeKeys: () => 1,
    usableKeys: () => 1,
    isReady: () => true,
    conditions: () => [],
    clocks: () => [],
  })
  const listening = { address: { host: '127.0.0.1', port: 0 }, tls: undefined }
  const server = await openSignListener(app, listening, { requestId: () => 'an-id', measured, log })
  onTestFinished(() => server.close(0))
  return { server, lines, apiKey: apiKey.text, measured }
}

type Sent = {
  readonly start?: string
  readonly headers?: readonly string[]
  readonly body?: string
}

function bytesOf(bearer: string, { start, headers = [], body = '{"claims":{"sub":"1"}}' }: Sent) {
  const line = start ?? 'POST /v1/keys/reports/sign HTTP/1.1'
  const own = headers.some((header) => header.startsWith('Authorization'))
  const fixed = ['Host: c', 'Content-Type: application/json', 'Connection: close']
  const length = `Content-Length: ${Buffer.byteLength(body)}`
  const credential = own ? [] : [`Authorization: Bearer ${bearer}`]
  return requestText(line, [...fixed, length, ...credential, ...headers], body)
}

const segment = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const token = (header: object, claims: object) =>
  `Authorization: Bearer ${segment(header)}.${segment(claims)}.AAAA`

/** Every field that a caller controls, with such a text in it. */
const fields: readonly (readonly [string, (evil: string) => Sent])[] = [
  ['a request id', (evil) => ({ headers: [`X-Request-Id: ${evil}`] })],
  ['a timeout', (evil) => ({ headers: [`X-Request-Timeout: ${evil}`] })],
  ['another header', (evil) => ({ headers: [`X-Forwarded-For: ${evil}`, `User-Agent: ${evil}`] })],
  ['the name of a header', (evil) => ({ headers: [`${evil}: a`] })],
  ['a credential', (evil) => ({ headers: [`Authorization: Bearer ${evil}`] })],
  ['an API key', (evil) => ({ headers: [`Authorization: Bearer chn_${evil}`] })],
  ['a path', (evil) => ({ start: `POST /v1/keys/${evil}/sign HTTP/1.1` })],
  ['a query', (evil) => ({ start: `GET /v1/keys/reports/fingerprint?format=${evil} HTTP/1.1` })],
  ['a method', (evil) => ({ start: `${evil} / HTTP/1.1` })],
  ['a claim', (evil) => ({ body: JSON.stringify({ claims: { sub: evil } }) })],
  ['the name of a claim', (evil) => ({ body: JSON.stringify({ claims: { [evil]: 1 } }) })],
  ['a raw body', (evil) => ({ body: evil })],
  ['a signing input', (evil) => ({ body: JSON.stringify({ signingInput: evil }) })],
  ['a member of a body', (evil) => ({ body: JSON.stringify({ [evil]: 1 }) })],
  ['the issuer of a token', (evil) => ({ headers: [token({ alg: 'ES256' }, { iss: evil })] })],
  [
    'the kid of a token',
    (evil) => ({ headers: [token({ alg: 'ES256', kid: evil }, { iss: issuer })] }),
  ],
  ['the alg of a token', (evil) => ({ headers: [token({ alg: evil }, { iss: issuer })] })],
  [
    'the subject of a token',
    (evil) => ({ headers: [token({ alg: 'ES256' }, { iss: issuer, sub: evil })] }),
  ],
]

describe.each(fields)('in %s', (_, sentWith) => {
  test.each(evils)(
    '%s leaves one line of JSON for each request, without it',
    async (_name, evil) => {
      const { server, lines, apiKey, measured } = await service()
      const { text, statuses } = await exchange(server.url, bytesOf(apiKey, sentWith(evil)))
      expect(statuses.length).toBeGreaterThan(0)
      expect(lines.length).toBeGreaterThan(0)
      for (const line of lines) {
        expect(line).toMatch(/^\{"level":"(?:info|warn|error)".*\}\n$/)
        // oxlint-disable-next-line no-control-regex -- controls are what must not be there
        expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/)
        expect(JSON.parse(line)).toMatchObject({ event: expect.any(String) })
        expect(line.length).toBeLessThan(4_096)
      }
      expect(lines.join('')).not.toContain(mark)
      expect(await measured.registry.metrics()).not.toContain(mark)
      expect(text).not.toMatch(/^X-Injected/im)
    },
  )
})
