import { createPublicKey, hash, randomUUID, verify, constants, X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { systemClock } from '../../../src/lib/clock.ts'

export const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47'
export const clientId = '1f0e5a32-9c4b-4d7e-8a61-5b3c2d4e6f70'
export const vaultResource = 'https://vault.azure.net'

/** Who may have tokens, and which there are. */
export type Identities = {
  /** The authority's own address. */
  readonly origin: string
  /** PEM of the application's certificate. */
  certificate: string | undefined
  /** What the cluster has put into the pod's token file. */
  federated: string
  /** Of the endpoint for managed identities. */
  readonly identityHeader: string
  lifeSeconds: number
  /** Whether nobody is given a token, and how that is said. */
  refusal: { readonly status: number; readonly error: string } | undefined
  /** The claims that the vault wants of a token now: JSON, as the authority has to be told them. */
  wanted: () => string | undefined
  readonly tokens: Map<string, FakeToken>
  asked: number
}

type FakeToken = {
  readonly expiresAt: number
  readonly resource: string
  /** What it was asked for with. */
  readonly claims?: string | undefined
}

export type TokenAnswer = { readonly status: number; readonly body: object }

/** https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow */
export function tokenFor(identities: Identities, form: URLSearchParams): TokenAnswer {
  identities.asked += 1
  if (identities.refusal) {
    const { status, error } = identities.refusal
    return refused(status, error, 'AADSTS900000: the fake was told so')
  }
  const scope = form.get('scope') ?? ''
  if (form.get('grant_type') !== 'client_credentials' || !scope.endsWith('/.default')) {
    return refused(
      400,
      'invalid_scope',
      'AADSTS1002012: The provided value for scope is not valid.',
    )
  }
  if (form.get('client_id') !== clientId) {
    return refused(400, 'unauthorized_client', 'AADSTS700016: Application was not found.')
  }
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  const assertion = form.get('client_assertion') ?? ''
  const isFederated = assertion === identities.federated
  const isProved = isFederated || isSigned(identities, assertion)
  if (form.get('client_assertion_type') !== type || !isProved) {
    return refused(401, 'invalid_client', 'AADSTS700027: The certificate is not registered.')
  }
  const { lifeSeconds } = identities
  const claims = form.get('claims') ?? undefined
  const token = newToken(identities, scope.replace('/.default', ''), claims)
  const life = { expires_in: lifeSeconds, ext_expires_in: lifeSeconds }
  return { status: 200, body: { token_type: 'Bearer', ...life, access_token: token } }
}

/** https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference */
export function identityTokenFor(
  identities: Identities,
  query: URLSearchParams,
  header: string | undefined,
): TokenAnswer {
  identities.asked += 1
  const { identityHeader, refusal } = identities
  if (header !== identityHeader || query.get('api-version') !== '2019-08-01') {
    return { status: 401, body: { statusCode: 401, message: 'No MSI header' } }
  }
  if (refusal)
    return { status: refusal.status, body: { statusCode: refusal.status, message: 'no' } }
  const resource = query.get('resource') ?? ''
  const expiresAt = Math.floor(systemClock.now() / 1_000) + identities.lifeSeconds
  const token = newToken(identities, resource)
  const body = {
    access_token: token,
    expires_on: String(expiresAt),
    resource,
    token_type: 'Bearer',
  }
  return { status: 200, body: { ...body, client_id: query.get('client_id') ?? clientId } }
}

function newToken({ tokens, lifeSeconds }: Identities, resource: string, claims?: string): string {
  const token = `eyJ.${randomUUID()}.fake`
  tokens.set(token, { resource, claims, expiresAt: systemClock.now() + lifeSeconds * 1_000 })
  return token
}

function refused(status: number, error: string, words: string): TokenAnswer {
  const trace = { trace_id: randomUUID(), correlation_id: randomUUID(), error_codes: [700_027] }
  return { status, body: { error, error_description: `${words} Tenant: ${tenant}`, ...trace } }
}

const claimsRequest = z.object({ access_token: z.record(z.string(), z.unknown()).default({}) })

/**
 * Whether a token was asked for with these claims; a client's capabilities stand among them.
 * https://learn.microsoft.com/entra/identity-platform/claims-challenge
 */
export function hasClaims({ claims = '{}' }: FakeToken, wanted: string): boolean {
  const { access_token: had } = claimsRequest.parse(JSON.parse(claims))
  const { access_token: asked } = claimsRequest.parse(JSON.parse(wanted))
  return Object.entries(asked).every(
    ([name, value]) => JSON.stringify(had[name]) === JSON.stringify(value),
  )
}

const assertionHeader = z.object({
  alg: z.enum(['RS256', 'PS256']),
  'x5t#S256': z.string().optional(),
  x5t: z.string().optional(),
})
const assertionClaims = z.object({
  aud: z.string(),
  exp: z.number(),
  iss: z.literal(clientId),
  sub: z.literal(clientId),
  jti: z.string(),
})

/** https://learn.microsoft.com/entra/identity-platform/certificate-credentials */
function isSigned({ certificate, origin }: Identities, assertion: string): boolean {
  const [head = '', payload = '', signature = ''] = assertion.split('.')
  if (certificate === undefined || signature === '') return false
  const header = assertionHeader.safeParse(jsonOf(head)).data
  const claims = assertionClaims.safeParse(jsonOf(payload)).data
  if (!header || !claims || claims.exp * 1_000 < systemClock.now()) return false
  if (!claims.aud.startsWith(`${origin}/${tenant}/`)) return false
  const { raw, publicKey } = new X509Certificate(certificate)
  const thumbprint = header['x5t#S256']
  if (thumbprint !== undefined && thumbprint !== hash('sha256', raw, 'base64url')) return false
  const padding =
    header.alg === 'PS256' ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING
  const key = { key: createPublicKey(publicKey.export({ format: 'pem', type: 'spki' })), padding }
  const salted = { ...key, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  const signed = Buffer.from(`${head}.${payload}`)
  return verify('sha256', signed, salted, Buffer.from(signature, 'base64url'))
}

function jsonOf(segment: string): unknown {
  try {
    return JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}

/** What MSAL asks before it asks for a token. https://openid.net/specs/openid-connect-discovery-1_0.html */
export function discovery({ origin }: Identities): object {
  const base = `${origin}/${tenant}`
  return {
    issuer: `${base}/v2.0`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
  }
}
