import type { Denial, Intent, Outcome } from '../../src/audit/records.ts'

/** Records of one request each, of which only the request matters unless said otherwise. */

export function intent(request: string, part: Partial<Intent> = {}): Intent {
  return {
    type: 'intent',
    at: 0,
    request,
    callerRequest: undefined,
    caller: 'web',
    key: 'blog',
    version: 3,
    kid: 'a-kid',
    alg: 'ES256',
    operation: 'sign-claims',
    grant: 'grants[0]',
    inputDigest: 'digest',
    jti: undefined,
    exp: undefined,
    ...part,
  }
}

export function outcome(request: string): Outcome {
  const base = { type: 'outcome', at: 0, request, result: 'released' } as const
  return { ...base, signatureDigest: undefined, vaultMs: undefined, vaultRequest: undefined }
}

export function denial(request: string, part: Partial<Denial> = {}): Denial {
  return {
    type: 'denial',
    at: 0,
    request,
    callerRequest: undefined,
    caller: 'web',
    key: 'blog',
    operation: 'sign-claims',
    code: 'claims_refused',
    rule: 'sub.const',
    count: 1,
    ...part,
  }
}

/** `intent 01A` for each stored body, in order. */
export function stored(bodies: readonly string[]): readonly string[] {
  return bodies.map((body) => {
    const { type, request }: { type: string; request: string } = JSON.parse(body)
    return `${type} ${request}`
  })
}
