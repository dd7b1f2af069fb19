import { createPublicKey, verify } from 'node:crypto'
import { createRemoteJWKSet, importJWK, type JWK, jwtVerify } from 'jose'
import { z } from 'zod'
import { decodeBase64 } from '../lib/bytes.ts'
import type { Caller } from './caller.ts'
import type { Checks } from './checks.ts'
import type { Program } from './program.ts'

const listing = z.object({
  keys: z.array(
    z.object({
      key: z.string(),
      configured: z.boolean(),
      alg: z.string(),
      versions: z.array(
        z.object({
          version: z.string(),
          custody: z.string(),
          fingerprints: z.record(z.string(), z.string()),
        }),
      ),
    }),
  ),
})

const publicJwk = z
  .object({ kty: z.string(), alg: z.string(), kid: z.string() })
  .catchall(z.string())

/** What verifiers know: the public half, as the command line prints it. */
export async function publicJwkOf(program: Program, key: string): Promise<JWK & { alg: string }> {
  return publicJwk.parse((await program.run(['keys', 'show', key, '--jwk'])).json)
}

export async function showKeys(program: Program, app: Caller, checks: Checks): Promise<void> {
  checks.title('The keys, and the fingerprints by which others know them')
  const { keys } = listing.parse((await program.run(['keys', 'list'])).json)
  for (const { key, alg, versions } of keys.filter(({ configured }) => configured)) {
    const [version] = versions
    const { body, text } = await app.get(`/v1/keys/${key}/fingerprint?format=github`)
    const answer = body.code ?? `github ${text.trim()}`
    const own = version?.fingerprints['github']
    // A secret has no public half for anybody to know it by.
    const expected = own === undefined && alg === 'HS256' ? 'no_public_key' : `github ${own}`
    checks.check(answer === expected, `${version?.version}  ${alg}, ${version?.custody}: ${answer}`)
  }
}

/** Verifiers know the registry, and nothing of us. */
export async function signForContentful(app: Caller, jwks: string, checks: Checks): Promise<void> {
  checks.title('A Contentful app token, verified by jose against the registry alone')
  const { body } = await app.sign('blog', { claims: {} })
  const { payload, protectedHeader } = await jwtVerify(
    body.jwt ?? '',
    createRemoteJWKSet(new URL(jwks)),
    { algorithms: ['RS256'], issuer: 'blog' },
  )
  const { kid, alg } = protectedHeader
  const lives = (payload.exp ?? 0) - (payload.iat ?? 0)
  const fingerprint = await app.get('/v1/keys/blog/fingerprint?format=contentful')
  checks.check(lives === 600, `blog: ${alg} JWT of iss ${payload.iss}, for ${lives} s, by ${jwks}`)
  checks.check(fingerprint.text.trim() === kid, `its kid is the contentful fingerprint ${kid}`)
}

export async function signWithEach(program: Program, app: Caller, checks: Checks): Promise<void> {
  checks.title('Signatures over HTTP, verified by jose with the public key alone')
  const lines = await Promise.all([
    signClaims(program, app, 'reports', { sub: 'tenant:42' }),
    signClaims(program, app, 'partner', {}),
    signMessage(program, app),
  ])
  for (const { isGood, line } of lines) checks.check(isGood, line)
}

type Line = { readonly isGood: boolean; readonly line: string }

async function signClaims(
  program: Program,
  app: Caller,
  key: string,
  claims: object,
): Promise<Line> {
  const { body } = await app.sign(key, { claims })
  const jwk = await publicJwkOf(program, key)
  const verified = await verifies(body.jwt ?? '', jwk)
  const line = `${key}: ${jwk.alg} JWT for ${JSON.stringify(verified)}`
  return { isGood: verified !== undefined, line }
}

async function signMessage(program: Program, app: Caller): Promise<Line> {
  const message = Buffer.from('a document of any kind')
  const { body } = await app.sign('documents', { message: message.toString('base64') })
  const jwk = await publicJwkOf(program, 'documents')
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
  const isGood = verify(null, message, publicKey, decodeBase64(body.signature ?? ''))
  const line = `documents: ${jwk.alg} signature over ${message.length} bytes, verified by node:crypto`
  return { isGood, line }
}

/** @returns the claims, or undefined when the token does not verify. */
export async function verifies(
  jwt: string,
  jwk: JWK & { alg: string },
): Promise<object | undefined> {
  try {
    const { payload } = await jwtVerify(jwt, await importJWK(jwk, jwk.alg), {
      algorithms: [jwk.alg],
    })
    return payload
  } catch {
    return undefined
  }
}
