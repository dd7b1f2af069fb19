import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { z } from 'zod'
import type { Stage } from './stopping.ts'

const revoked = z.object({
  promoted: z.string().nullable(),
  withdrawal: z.object({ verdict: z.string() }),
  disabling: z.object({ verdict: z.string() }),
})
const jwkSet = z.object({ keys: z.array(z.object({ kid: z.string() })) })

/**
 * A key that verifiers know from a registry: its standby signs at once, and nobody trusts the revoked
 * version any more.
 *
 * @param jwks where verifiers look.
 * @returns the JWTs that the caller received.
 */
export async function withdraw(
  { program, app, checks, now }: Stage,
  jwks: string,
): Promise<readonly string[]> {
  const before = await app.sign('blog', { claims: {} })
  const kid = kidIn(before.body.jwt)
  const startedMs = now()
  const { exitCode, json } = await program.run(['revoke', 'blog@2', '--reason', 'demo'])
  const tookMs = now() - startedMs
  const { promoted, withdrawal, disabling } = revoked.parse(json)
  checks.check(
    exitCode === 0 && withdrawal.verdict === 'done' && disabling.verdict === 'done',
    `revoke blog@2: withdrawn from its registry and disabled in its vault; the command took ${tookMs} ms`,
  )
  const after = await app.sign('blog', { claims: {} })
  const verified = await verifiedBy(jwks, after.body.jwt)
  checks.check(
    promoted === 'blog@3' && verified !== undefined && verified !== kid,
    `${promoted}, its standby, signs without a pause, verified against the registry`,
  )
  const { keys } = jwkSet.parse(await (await fetch(jwks)).json())
  checks.check(
    keys.every((key) => key.kid !== kid),
    `the registry no longer lists ${kid}`,
  )
  return [before, after].flatMap(({ body }) => body.jwt ?? [])
}

function kidIn(jwt = ''): string | undefined {
  return decodeProtectedHeader(jwt).kid
}

/** @returns the kid that it was verified by. */
async function verifiedBy(jwks: string, jwt = ''): Promise<string | undefined> {
  const { protectedHeader } = await jwtVerify(jwt, createRemoteJWKSet(new URL(jwks)), {
    algorithms: ['RS256'],
  })
  return protectedHeader.kid
}
