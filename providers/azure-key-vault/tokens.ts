import { equalBytes, utf8 } from '../../src/lib/bytes.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { deadline, within } from '../../src/lib/deadline.ts'
import { tokenError } from './errors.ts'

/** As much of @azure/identity's `TokenCredential` as is used. */
export type TokenSource = {
  getToken(scopes: string | string[], options: TokenOptions): Promise<Token | null>
}

type Token = { readonly token: string; readonly expiresOnTimestamp: number }

type TokenOptions = {
  readonly abortSignal?: AbortSignal
  readonly tenantId?: string
  readonly claims?: string
  readonly enableCae?: boolean
}

/** As early as the SDK itself would; short-lived tokens are replaced at half their life. */
const marginMs = 300_000

type Held = { readonly token: Token; readonly refreshAt: number }

/**
 * Tokens for one vault: fetched once for all who ask at the same time, held until shortly before their end.
 * The SDK's own cache is kept out of it by tokens that say they have ended, since it would send a token that
 * the vault has refused until that token ends.
 */
export interface HeldTokens extends TokenSource {
  /** The vault has answered 401 to it: it is not given out again. */
  refuse(token: string): void
}

/**
 * @param open a credential with an empty cache, since MSAL holds tokens too.
 * @param timeoutMs of a fetch: whoever waits for it brings a deadline of their own.
 */
export function heldTokens(open: () => TokenSource, clock: Clock, timeoutMs: number): HeldTokens {
  const held = new Map<string, Held>()
  const fetching = new Map<string, Promise<Token>>()
  let source: TokenSource | undefined

  const fetch = async (id: string, scopes: string | string[], options: TokenOptions) => {
    using limit = deadline(timeoutMs)
    try {
      source ??= open()
      const asked = source.getToken(scopes, { ...options, abortSignal: limit.signal })
      const token = await within(asked, limit.signal)
      if (!token) throw new TypeError('the credential gave no token')
      held.set(id, { token, refreshAt: refreshAt(token, clock.now()) })
      return token
    } catch (error) {
      const last = held.get(id)?.token
      if (last && clock.now() < last.expiresOnTimestamp) return last
      throw tokenError(error)
    } finally {
      fetching.delete(id)
    }
  }

  return {
    async getToken(scopes, { abortSignal, ...options }) {
      const id = JSON.stringify([scopes, options])
      const known = held.get(id)
      let token = known && clock.now() < known.refreshAt ? known.token : undefined
      if (!token) {
        const asked = fetching.get(id) ?? fetch(id, scopes, options)
        fetching.set(id, asked)
        token = await (abortSignal ? within(asked, abortSignal) : asked)
      }
      return { ...token, expiresOnTimestamp: 0 }
    },

    refuse(refused) {
      for (const [id, { token }] of held) {
        if (!equalBytes(utf8(token.token), utf8(refused))) continue
        held.delete(id)
        source = undefined
      }
    },
  }
}

function refreshAt({ expiresOnTimestamp }: Token, now: number): number {
  const leftMs = expiresOnTimestamp - now
  return now + Math.max(leftMs - marginMs, leftMs / 2)
}
