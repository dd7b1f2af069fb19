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

/** What is asked for, and what is there of it. */
type Entry = {
  readonly scopes: string | string[]
  readonly options: TokenOptions
  held: { readonly token: Token; readonly refreshAt: number } | undefined
  /** The last one that the vault has refused. */
  refused: string | undefined
  fetching: Promise<Token> | undefined
}

/**
 * Tokens for one vault: fetched once for all who ask at the same time, held until shortly before their end.
 * The SDK's own cache is kept out of it by tokens that say they have ended, since it would send a token that
 * the vault has refused until that token ends.
 */
export interface HeldTokens extends TokenSource {
  /** The vault has answered 401 to it. @returns another, or undefined for a token that is not from here. */
  replace(token: string): Promise<string | undefined>
}

/**
 * @param open a credential with an empty cache, since MSAL holds tokens too.
 * @param timeoutMs of a fetch: whoever waits for it brings a deadline of their own.
 */
export function heldTokens(open: () => TokenSource, clock: Clock, timeoutMs: number): HeldTokens {
  const entries = new Map<string, Entry>()
  let source: TokenSource | undefined

  const fetch = async (entry: Entry): Promise<Token> => {
    using limit = deadline(timeoutMs)
    try {
      source ??= open()
      const asked = source.getToken(entry.scopes, { ...entry.options, abortSignal: limit.signal })
      const token = await within(asked, limit.signal)
      if (!token) throw new TypeError('the credential gave no token')
      entry.held = { token, refreshAt: refreshAt(token, clock.now()) }
      return token
    } catch (error) {
      const last = entry.held?.token
      if (last && clock.now() < last.expiresOnTimestamp) return last
      throw tokenError(error)
    } finally {
      entry.fetching = undefined
    }
  }

  const tokenOf = async (entry: Entry, signal: AbortSignal | undefined): Promise<Token> => {
    if (entry.held && clock.now() < entry.held.refreshAt) return entry.held.token
    entry.fetching ??= fetch(entry)
    return signal ? within(entry.fetching, signal) : entry.fetching
  }

  return {
    async getToken(scopes, { abortSignal, ...options }) {
      const id = JSON.stringify([scopes, options])
      const none = { held: undefined, refused: undefined, fetching: undefined }
      const entry = entries.get(id) ?? { scopes, options, ...none }
      entries.set(id, entry)
      return { ...(await tokenOf(entry, abortSignal)), expiresOnTimestamp: 0 }
    },

    async replace(refused) {
      for (const entry of entries.values()) {
        if (isSame(entry.held?.token.token, refused)) {
          entry.refused = refused
          entry.held = undefined
          source = undefined
        }
        if (isSame(entry.refused, refused)) return (await tokenOf(entry, undefined)).token
      }
      return undefined
    },
  }
}

function isSame(one: string | undefined, other: string): boolean {
  return one !== undefined && equalBytes(utf8(one), utf8(other))
}

function refreshAt({ expiresOnTimestamp }: Token, now: number): number {
  const leftMs = expiresOnTimestamp - now
  return now + Math.max(leftMs - marginMs, leftMs / 2)
}
