import type { Answer, Caller } from './caller.ts'
import type { Checks } from './checks.ts'
import { sdkToken } from './portal.ts'
import { signingInput } from './signing-input.ts'

export async function showRefusals(
  app: Caller,
  stranger: Caller,
  checks: Checks,
  nowMs: number,
): Promise<void> {
  checks.title('Refusals')
  const iat = Math.floor(nowMs / 1_000)
  const claims = { iss: 'https://acme.example', sub: 'tenant:42', jti: 'x', iat, exp: iat + 300 }
  const otherAlgorithm = { signingInput: signingInput({ alg: 'none', typ: 'JWT' }, claims) }
  const tooLong = {
    signingInput: signingInput({ alg: 'ES256', typ: 'JWT' }, { ...claims, exp: iat + 86_400 }),
  }

  const sign = async (key: string, request: object) => told(await app.sign(key, request))
  const table = [
    ['another algorithm', await sign('reports', otherAlgorithm), '400 malformed_signing_input'],
    [
      'an over-long lifetime',
      await sign('reports', tooLong),
      '403 claims_refused by the rule maxLifetime',
    ],
    [
      'another tenant’s subject',
      await sign('reports', { claims: { sub: 'root' } }),
      '403 claims_refused by the rule sub.prefix',
    ],
    [
      'a key id that is nobody’s',
      await sign('face-sdk', { signingInput: sdkToken('key-0', 'device') }),
      '403 claims_refused by the rule key_id.const',
    ],
    ['bytes from a key for JWTs', await sign('bot', { message: 'AAAA' }), '400 wrong_purpose'],
    ['an export attempt', told(await app.get('/v1/keys/reports/export')), '404 not_found'],
    [
      'a caller without the operation',
      told(await stranger.sign('documents', { message: 'AAAA' })),
      '403 operation_not_granted',
    ],
  ] as const
  for (const [what, answer, expected] of table) {
    checks.check(answer === expected, `${what}: ${answer}`)
  }
  await showHidden(stranger, checks)
}

/** A key without a grant and a key that does not exist: nobody can tell them apart. */
async function showHidden(stranger: Caller, checks: Checks): Promise<void> {
  const ungranted = await stranger.sign('reports', { claims: {} })
  const unknown = await stranger.sign('no-such-key', { claims: {} })
  const blank = ({ text, body }: typeof unknown) => text.replace(body.requestId ?? '', '')
  const same = ungranted.status === 404 && blank(ungranted) === blank(unknown)
  checks.check(
    same,
    `a caller without a grant: ${ungranted.status}, byte for byte that of a key that does not exist`,
  )
}

function told({ status, body: { code, rule } }: Answer): string {
  return `${status} ${code}${rule === undefined ? '' : ` by the rule ${rule}`}`
}
