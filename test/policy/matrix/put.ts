import { type Ask, type Case, segment } from './case.ts'
import { allowed, type Signed } from './denotation.ts'
import type { EstateService } from './service.ts'

/** Puts a case to the service; its answer as the oracle would have said it. */
export async function answerOf(service: EstateService, asked: Case): Promise<string> {
  service.passTime()
  if (asked.before) await send(service, asked, asked.before)
  return words(asked.ask, await send(service, asked, asked.ask))
}

type Answered = Readonly<
  Partial<Record<'code' | 'rule' | 'claim' | 'activeKid' | 'jwt', string>>
> & { readonly version?: number; readonly expiresAt?: string | null }
export type Answer = { readonly status: number; readonly body: Answered }

async function send({ app }: EstateService, { caller, key }: Case, ask: Ask): Promise<Answer> {
  const headers = { Authorization: `Bearer ${caller}`, 'Content-Type': 'application/json' }
  const response =
    ask.form === 'read'
      ? await app.request(`/v1/keys/${key}/fingerprint`, { headers })
      : await app.request(`/v1/keys/${key}/sign`, {
          method: 'POST',
          headers,
          body: JSON.stringify(bodyOf(ask)),
        })
  const body: Answered = JSON.parse(await response.text())
  return { status: response.status, body }
}

function bodyOf(ask: Exclude<Ask, { readonly form: 'read' }>): object {
  switch (ask.form) {
    case 'claims':
      return { claims: ask.claims }
    case 'signingInput':
      return { signingInput: `${segment(ask.header)}.${segment(ask.payload)}` }
    case 'message':
      return { message: Buffer.from(ask.text).toString('base64url') }
    case 'digest':
      return { digest: Buffer.alloc(ask.bytes, 7).toString('base64url') }
  }
}

/** An answer in the oracle's words. */
export function words({ form }: Ask, { status, body }: Answer): string {
  if (status === 200) return allowed(signedOf(form, body))
  const { code, rule, claim, activeKid } = body
  return [status, code, rule ?? claim ?? activeKid].filter((part) => part !== undefined).join(' ')
}

/** Read from the JWT itself, not from what is said beside it. */
function signedOf(form: Ask['form'], { version, jwt, expiresAt }: Answered): Signed {
  const n = version ?? 0
  if (form === 'read' || form === 'message' || form === 'digest') return { version: n }
  const [header = {}, payload = {}] = (jwt ?? '')
    .split('.')
    .slice(0, 2)
    .map((part): Record<string, unknown> => JSON.parse(Buffer.from(part, 'base64url').toString()))
  const expires = expiresAt === null ? null : Date.parse(expiresAt ?? '') / 1_000
  const isOurs = form === 'claims' && /^[0-9A-HJKMNP-TV-Z]{26}$/.test(String(payload['jti']))
  const shown = isOurs ? { ...payload, jti: 'a ulid' } : payload
  return { version: n, header, payload: shown, expires }
}
