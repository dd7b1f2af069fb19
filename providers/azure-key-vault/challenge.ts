/** As much of a request, an answer and a policy of the SDK's pipeline as is looked at. */
type Headers = { get(name: string): string | undefined }
type Request = { readonly headers: Headers }
type Answer<Q> = { readonly request: Q; readonly status: number; readonly headers: Headers }

/**
 * Each client of the SDK sends its first requests without body and token, to be told by the vault whose tokens
 * it takes: a request more for each version, and many where many start at once. What the vault has said once
 * answers them here. A vault that refuses a token is asked again, and the token is not used again.
 */
export function rememberedChallenge<Q extends Request, A extends Answer<Q>>(
  refuse: (token: string) => void,
) {
  let challenge: A | undefined
  return {
    name: 'rememberedChallenge',
    async sendRequest(request: Q, next: (request: Q) => Promise<A>): Promise<A> {
      const [, token] = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '') ?? []
      if (token === undefined && challenge) return { ...challenge, request }
      const answer = await next(request)
      if (answer.status !== 401) return answer
      if (token !== undefined) refuse(token)
      const isChallenge =
        token === undefined && answer.headers.get('www-authenticate') !== undefined
      challenge = isChallenge ? answer : undefined
      return answer
    },
  }
}
