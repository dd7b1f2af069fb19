import { oidcAuthenticator, type OidcCaller } from '../../src/auth/oidc.ts'
import { heldIssuer } from './issuer-documents.ts'
import type { MemoryKey } from './memory-key.ts'

export const issuerUrl = 'https://issuer.example'

/** A caller of the issuer above, whose tokens say `repository_id: "1234"`. */
export function oidcCaller(part: Partial<OidcCaller> = {}): OidcCaller {
  return {
    name: 'blog-backend',
    issuer: issuerUrl,
    audience: 'chancery',
    algorithms: ['ES256'],
    match: { repository_id: '1234' },
    lifetimeSecondsMax: 3_600,
    ...part,
  }
}

const patience = new AbortController().signal

/** The real authenticator, over an issuer in the test's hands. */
export function oidcCallers(
  callers: readonly OidcCaller[],
  published: Readonly<Record<string, MemoryKey>>,
) {
  const { issuer, clock, keys } = heldIssuer(published)
  const keysOf = new Map(callers.map((caller) => [caller.issuer, keys]))
  const authenticator = oidcAuthenticator({ callers, keysOf, clock })
  const seconds = () => Math.floor(clock.now() / 1_000)
  return {
    issuer,
    clock,
    authenticator,
    ask: (token: string, signal = patience) => authenticator.authenticate(token, signal),
    /** What an honest token says now. */
    claims: (part: Readonly<Record<string, unknown>> = {}) => ({
      iss: issuerUrl,
      aud: 'chancery',
      iat: seconds(),
      exp: seconds() + 600,
      repository_id: '1234',
      ...part,
    }),
  }
}
