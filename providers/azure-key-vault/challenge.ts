/** As much of a request, an answer and a policy of the SDK's pipeline as is looked at. */
type Headers = {
  get(name: string): string | undefined
  set(name: string, value: string): void
  delete(name: string): void
}
type Request = { readonly headers: Headers }
type Answer<Q> = { readonly request: Q; readonly status: number; readonly headers: Headers }

const challengeHeader = 'www-authenticate'

/**
 * Each client of the SDK sends its first requests without body and token, to be told by the vault whose tokens
 * it takes: a request more for each version, and many where many start at once. What the vault has said once
 * answers them here.
 *
 * A token that is refused is replaced, and the request sent once more; the SDK would do so only with a client
 * that was told by the vault before, and with the same token.
 *
 * @param replace gives another token for one that was refused.
 */
export function rememberedChallenge<Q extends Request, A extends Answer<Q>>(
  replace: (token: string) => Promise<string | undefined>,
) {
  let challenge: A | undefined
  return {
    name: 'rememberedChallenge',
    async sendRequest(request: Q, next: (request: Q) => Promise<A>): Promise<A> {
      const [, token] = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '') ?? []
      if (token === undefined && challenge) return { ...challenge, request }
      const answer = await next(request)
      if (answer.status !== 401) return answer
      const words = answer.headers.get(challengeHeader)
      challenge = token === undefined && words !== undefined ? answer : undefined
      // What the vault wants to be told in the next token is the SDK's to read.
      if (token === undefined || words?.includes('insufficient_claims')) return answer
      const other = await replace(token)
      if (other === undefined) return answer
      request.headers.set('authorization', `Bearer ${other}`)
      const second = await next(request)
      if (second.status === 401) second.headers.delete(challengeHeader) // no third time
      return second
    },
  }
}
