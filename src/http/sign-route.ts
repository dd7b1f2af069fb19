import type { Context } from 'hono'
import { instant } from '../lib/clock.ts'
import { encodeBytes } from '../lib/bytes.ts'
import { within } from '../lib/deadline.ts'
import { type SignDeps, type Signed, signFor } from '../service/sign.ts'
import { readJsonBody } from '../listener/body.ts'
import type { Endpoint } from './endpoint.ts'
import { jsonReply, type Reply, textReply } from './reply.ts'
import { readSignRequest, type SignRequest } from '../service/sign-request.ts'

/** POST /v1/keys/{key}/sign */
export function signRoute(deps: SignDeps): Endpoint {
  return async (context, { caller, request, callerRequest, signal }) => {
    const asked = readSignRequest(await within(readJsonBody(context.req.raw), signal))
    const key = context.req.param('key') ?? ''
    const command = { request, callerRequest, caller, key, form: asked.form }
    return signedReply(context, asked, await signFor(deps, command, signal))
  }
}

function signedReply({ req }: Context, asked: SignRequest, signed: Signed): Reply {
  const extra = {
    headers: { 'Server-Timing': `vault;dur=${signed.vaultMs.toFixed(2)}` },
    version: signed.version,
  }
  const signature = encodeBytes(signed.signature, asked.encoding)
  if (/^text\/plain\s*(?:[;,]|$)/i.test(req.header('accept') ?? '')) {
    const isClaims = asked.form.kind === 'claims'
    return textReply(isClaims ? (signed.jwt ?? '') : signature, extra)
  }
  return jsonReply(signedMembers(asked, signed, signature), extra)
}

/** Exactly the members of CONTRACT §1.1, in its order. */
function signedMembers({ form }: SignRequest, signed: Signed, signature: string): object {
  const { key, version, kid, alg } = signed
  const expiresAt = signed.expiresAt === undefined ? null : seconds(signed.expiresAt)
  switch (form.kind) {
    case 'claims':
      return { jwt: signed.jwt, key, version, kid, alg, expiresAt }
    case 'signingInput':
      return { signature, jwt: signed.jwt, key, version, kid, alg, expiresAt }
    case 'message':
    case 'digest':
      return { signature, key, version, kid, alg }
  }
}

/** A JWT knows whole seconds only: RFC 3339 without a fraction. */
function seconds(epochMs: number): string {
  return instant(epochMs).replace(/\.\d+Z$/, 'Z')
}
