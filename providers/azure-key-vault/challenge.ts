import { ReplacedCredential } from '../../src/signing/signer.ts'

/** As much of a request, an answer and a policy of the SDK's pipeline as is looked at. */
type Headers = {
  get(name: string): string | undefined
  set(name: string, value: string): void
  delete(name: string): void
}
type Request = { readonly headers: Headers }
type Answer<Q> = { readonly request: Q; readonly status: number; readonly headers: Headers }

const challengeHeader = 'www-authenticate'

/** Who is told what becomes of a token. */
type Tokens = {
  /** It was refused. @returns another, or none. */
  replace(token: string): Promise<string | undefined>
  accept(token: string): void
  /** The vault wants claims of it: the SDK is about to ask for a token with them. */
  lacks(token: string): void
}

/**
 * Each client of the SDK sends its first requests without body and token, to be told by the vault whose tokens
 * it takes: a request more for each version, and many where many start at once. What the vault has said once
 * answers them here, in each of the clients that share this memory: as soon as a token that was fetched by
 * those words was good, since a proxy, or a vault set up amiss for a moment, has words too.
 */
export function challengeMemory<Q extends Request, A extends Answer<Q>>(tokens: Tokens) {
  let challenge: A | undefined
  /** What a request was told, which comes again with a token. */
  const unproven = new WeakMap<Request, A>()
  /** Of `sendingOnce`. The SDK sends the same object again. */
  const sent = new WeakMap<Request, { readonly authorization: string; readonly answer: A }>()
  const ask = async (request: Q, next: (request: Q) => Promise<A>): Promise<Asked<A>> => {
    const [, token] = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '') ?? []
    if (token === undefined && challenge) return { answer: { ...challenge, request } }
    const answer = await next(request)
    const words = answer.headers.get(challengeHeader)
    if (token === undefined && answer.status === 401) unproven.set(request, answer)
    if (token === undefined) return { answer }
    if (answer.status !== 401) {
      tokens.accept(token)
      challenge ??= unproven.get(request)
      return { answer }
    }
    // What the vault wants to be told in the next token is the SDK's to read.
    if (words?.includes('insufficient_claims')) {
      tokens.lacks(token)
      return { answer }
    }
    if (words !== challenge?.headers.get(challengeHeader)) challenge = undefined
    return { answer, refused: { other: await tokens.replace(token) } }
  }
  return {
    /**
     * A token that is refused is replaced, and the request sent once more; the SDK would do so only with a
     * client that was told by the vault before, and with the same token.
     */
    sendingAgain: {
      name: 'sendingAgain',
      async sendRequest(request: Q, next: (request: Q) => Promise<A>): Promise<A> {
        const { answer, refused } = await ask(request, next)
        if (refused?.other === undefined) return answer
        request.headers.set('authorization', `Bearer ${refused.other}`)
        return refusedForGood(await next(request))
      },
    },

    /** A request with a token is sent once: whoever counts the tries is told that another is worth it. */
    sendingOnce: {
      name: 'sendingOnce',
      async sendRequest(request: Q, next: (request: Q) => Promise<A>): Promise<A> {
        const authorization = request.headers.get('authorization')
        const before = sent.get(request)
        // There is no other token to be had: it would be refused again.
        if (before && before.authorization === authorization) return before.answer
        if (before)
          throw new ReplacedCredential('the SDK has got a token with the claims it was told')
        const { answer, refused } = await ask(request, next)
        if (authorization !== undefined) sent.set(request, { authorization, answer })
        if (refused?.other !== undefined) throw new ReplacedCredential('the token was refused')
        return refused ? refusedForGood(answer) : answer
      },
    },
  }
}

type Asked<A> = {
  readonly answer: A
  readonly refused?: { readonly other: string | undefined }
}

/** The SDK would send it again, since it has been told whose tokens the vault takes. */
function refusedForGood<A extends Answer<Request>>(answer: A): A {
  if (answer.status === 401) answer.headers.delete(challengeHeader)
  return answer
}
