import type { ChanceryClient } from './client.ts'
import { ChanceryError } from './error.ts'
import { type Answer, exchange } from './exchange.ts'
import { instantOf, type Members, membersOf, parsed, textOf } from './json.ts'
import { kept, lasting } from './kept.ts'
import { originFor } from './options.ts'
import type { Surroundings } from './surroundings.ts'

export type TokenEndpoint = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Where in the answer its end stands. */
  readonly expiry: (members: Members) => Members | undefined
}

const timeoutMs = 10_000

/**
 * Gives a registry a fresh JWT of the key for one of its own tokens, and keeps that until 60 s before
 * it ends.
 *
 * @returns a function that rejects with a `ChanceryError`: `token_refused` with the registry's status
 *   when it refuses, and what `client.sign` rejects with.
 */
export function accessToken(
  around: Surroundings,
  client: ChanceryClient,
  key: string,
  { url, headers, expiry }: TokenEndpoint,
): () => Promise<string> {
  const ask = kept(around, async () => {
    // Not a kept one: its version may have been revoked since, and this is asked for once in a while.
    const { jwt } = await client.sign(key, { claims: {} })
    const sent = { Accept: 'application/json', Authorization: `Bearer ${jwt}`, ...headers }
    const question = { method: 'POST', url, headers: async () => sent } as const
    const answer = await exchange(around, question, { timeoutMs, signal: undefined })
    const members = tokenIn(answer)
    const end = expiry(members)
    const expiresAt = end && instantOf(end, 'expiresAt')
    return { token: textOf(members, 'token'), ...lasting(answer, expiresAt) }
  })
  return async () => (await ask()).token
}

/** What a registry says when it refuses is not repeated: it may quote what it was sent. */
function tokenIn({ status, text }: Answer): Members {
  const members = membersOf(parsed(text))
  if ((status === 200 || status === 201) && members) return members
  throw new ChanceryError('token_refused', `The registry answered ${status} to our JWT`, { status })
}

/** `api.example`, or a whole URL. @throws {ChanceryError} `bad_option`. */
export function hostFor(host: string): string {
  return originFor(host.includes('://') ? host : `https://${host}`, 'host')
}
