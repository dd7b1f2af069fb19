import type { IncomingMessage, ServerResponse } from 'node:http'
import { systemClock } from '../../../src/lib/clock.ts'
import { playOnWire } from '../wire-fault.ts'
import { badParameter, type Fault, VaultFault } from './fault.ts'
import { hasClaims, type Identities, tenant, vaultResource } from './tokens.ts'

const contentType = 'application/json; charset=utf-8'

/** The versions of the API that are neither gone nor to come. */
const apiVersions: readonly string[] = ['7.4', '7.5', '7.6', '2025-07-01']

/** `api%2Dversion` and `/keys/NAME/?` are what the SDK sends; the service takes both. */
export function assertVersion(query: URLSearchParams): void {
  const version = query.get('api-version')
  if (version !== null && apiVersions.includes(version)) return
  throw badParameter('api-version must be specified, and a supported one')
}

/** Thrown for whoever has no token that is good here. */
export class Unauthorized extends VaultFault {
  /** What the token lacks, as JSON. */
  readonly claims: string | undefined

  constructor(words: string, claims?: string) {
    super(401, 'Unauthorized', words)
    this.claims = claims
  }
}

/** https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses */
export function tokenOf({ headers }: IncomingMessage, { tokens, wanted }: Identities): string {
  const [, token] = /^Bearer (\S+)$/.exec(headers.authorization ?? '') ?? []
  if (token === undefined) {
    throw new Unauthorized('AKV10000: Request is missing a Bearer or PoP token.')
  }
  const known = tokens.get(token)
  if (!known) throw new Unauthorized('AKV10032: Invalid issuer.')
  if (known.resource !== vaultResource) {
    throw new Unauthorized(`AKV10022: Invalid audience. Expected ${vaultResource}`)
  }
  if (known.expiresAt <= systemClock.now()) {
    throw new Unauthorized('AKV10046: The token has expired.')
  }
  const claims = wanted()
  if (claims !== undefined && !hasClaims(known, claims)) {
    throw new Unauthorized('AKV10108: The token lacks claims.', claims)
  }
  return token
}

/** What the vault calls a request: https://learn.microsoft.com/rest/api/keyvault/#common-parameters-and-headers */
export const requestIdHeader = 'x-ms-request-id'

export function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': contentType })
  response.end(JSON.stringify(body))
}

export function challenge(response: ServerResponse, origin: string, resource = vaultResource) {
  const value = `Bearer authorization="${origin}/${tenant}", resource="${resource}"`
  response.setHeader('WWW-Authenticate', value)
}

/** https://learn.microsoft.com/entra/identity-platform/claims-challenge#claims-challenge-header-format */
export function claimsChallenge(response: ServerResponse, origin: string, claims: string): void {
  const uri = `authorization_uri="${origin}/${tenant}/oauth2/v2.0/authorize"`
  const encoded = Buffer.from(claims).toString('base64')
  const value = `Bearer realm="", ${uri}, error="insufficient_claims", claims="${encoded}"`
  response.setHeader('WWW-Authenticate', value)
}

export function answerFault(response: ServerResponse, fault: VaultFault): void {
  const { status, code, message, inner } = fault
  const innererror = inner === undefined ? {} : { innererror: { code: inner } }
  answer(response, status, { error: { code, message, ...innererror } })
}

/** Ends or holds up the request as the fault says; true when nothing more is to be done. */
export function play(fault: Fault, response: ServerResponse, origin: string): boolean {
  switch (fault.kind) {
    case 'error': {
      const words = `${origin}/keys/secret-name of tenant ${tenant} said no`
      const error = new VaultFault(fault.status, fault.code, words, fault.inner)
      if (fault.status === 401) challenge(response, origin)
      answerFault(response, error)
      return true
    }
    case 'throttle':
      response.setHeader('Retry-After', String(fault.retryAfterSeconds))
      answerFault(response, new VaultFault(429, 'Throttled', 'Request was not processed'))
      return true
    case 'refuse-token':
      challenge(response, origin)
      answerFault(response, new Unauthorized('AKV10046: The token has expired.'))
      return true
    case 'challenge':
      challenge(response, origin, fault.resource)
      answerFault(response, new Unauthorized('AKV10000: Request is missing a Bearer token.'))
      return true
    case 'foreign-challenge':
      response.setHeader('WWW-Authenticate', fault.words)
      answerFault(response, new Unauthorized('AKV10000: Request is missing a Bearer token.'))
      return true
    case 'redirect':
      response.writeHead(307, { Location: fault.to })
      response.end()
      return true
    default:
      return playOnWire(fault, response, { contentType, requestIdHeader })
  }
}
