import { apiKeyAuthenticator, createApiKey } from '../../../src/auth/api-key.ts'
import { authenticator } from '../../../src/auth/caller.ts'
import { certificateAuthenticator } from '../../../src/auth/client-certificate.ts'
import { IssuerKeys } from '../../../src/auth/issuer-keys.ts'
import { oidcAuthenticator } from '../../../src/auth/oidc.ts'
import { listen } from '../../../src/http/listen.ts'
import { algorithm } from '../../../src/signing/algorithms.ts'
import { grantOn, keyOf, profileSettings } from '../../support/grant.ts'
import { house } from '../../support/house.ts'
import { manualClock } from '../../support/manual-clock.ts'
import { exchange, requestText } from '../../support/raw-socket.ts'
import { type Answer, signListener, signPath } from '../../support/sign-listener.ts'
import { heldVersion } from '../../support/signing-service.ts'
import { issuer, loadKeys, oidcCallers } from './issuer.ts'
import type { Sent } from './row.ts'

const tokenKey = (name: string) =>
  keyOf(name, { algorithm: algorithm('HS256'), profile: profileSettings['api-key-token'] })
const face = tokenKey('face-sdk')
const expiring = tokenKey('face-expiring')

const ids = [
  ['retired', 1],
  ['active', 2],
  ['active', 3],
  ['revoked', 4],
] as const

/** The house, two keys for tokens without expiry, and callers with API keys and OIDC tokens. */
function setting() {
  const { held, grants } = house()
  const operations = ['sign-claims', 'sign-input'] as const
  const versions = ids.map(([state, n]) => heldVersion(face, { state, n, kid: `id-${n}` }))
  const tokenGrants = [
    grantOn(face, { name: 'face', operations, noExpiry: true }),
    grantOn(expiring, { name: 'expiring', operations }),
  ]
  const ofBilling = grants.map((grant) => ({ ...grant, caller: 'billing' }))
  return {
    held: [...held, ...versions, heldVersion(expiring, { kid: 'id-of-expiring' })],
    grants: [...grants, ...tokenGrants, ...ofBilling],
  }
}

/** The sign listener with every way to prove who one is, in memory and on a socket. */
export async function installation() {
  const clock = manualClock()
  const apiKeys = { good: createApiKey(), other: createApiKey() }
  const keys = new IssuerKeys({ load: loadKeys, clock, onFailure: () => {} })
  const listener = await signListener(setting(), {
    clock,
    authenticator: authenticator({
      apiKey: apiKeyAuthenticator([
        { name: 'blog-backend', apiKeys: [apiKeys.good.record] },
        { name: 'other-app', apiKeys: [apiKeys.other.record] },
      ]),
      oidc: oidcAuthenticator({ callers: oidcCallers, keysOf: new Map([[issuer, keys]]), clock }),
      certificate: certificateAuthenticator([], clock),
    }),
  })
  const address = { host: '127.0.0.1', port: 0 }
  const server = await listen(listener.app, address, { requestId: () => 'an-id' })
  const named = (line: string) =>
    line
      .replace('<good>', `Bearer ${apiKeys.good.text}`)
      .replace('<other>', `Bearer ${apiKeys.other.text}`)

  const put = async (sent: Sent): Promise<string> => {
    if (sent.wire) {
      const start = `POST ${signPath('reports')} HTTP/1.1`
      const lines = ['Host: c', 'Content-Length: 0', ...sent.wire.map(named)]
      return worded(answerIn((await exchange(server.url, requestText(start, lines))).text))
    }
    const { key = 'reports', body = { claims: { sub: '42' } }, type = 'application/json' } = sent
    const { authorization = named('<good>') } = sent
    const headers = {
      'Content-Type': type,
      ...(authorization === null ? {} : { Authorization: authorization }),
    }
    const content = sent.raw === undefined ? { body } : { raw: sent.raw }
    const answer = await listener.ask(signPath(key), {
      ...content,
      headers,
      as: null,
      method: 'POST',
    })
    return worded(answer, listener.observations.at(-1)?.refusal)
  }
  return { listener, put, close: () => server.close(0) }
}

export type Installation = Awaited<ReturnType<typeof installation>>

type Told = Pick<Answer, 'status' | 'body'>

function answerIn(text: string): Told {
  const [, status = '', content = '{}'] = /^HTTP\/1\.1 (\d{3}) .*?\r\n\r\n(.*)$/s.exec(text) ?? []
  return { status: Number(status), body: JSON.parse(content) }
}

/** `403 claims_refused iss.const` */
function worded({ status, body }: Told, refusal?: string): string {
  const { code, rule, claim, activeKid, issues } = body
  const path: unknown = Array.isArray(issues) ? issues.at(0)?.path : undefined
  const more = [rule, claim, activeKid, path, refusal].filter((part) => typeof part === 'string')
  return `${status} ${String(code)} ${more.join(' ')}`.trim()
}
