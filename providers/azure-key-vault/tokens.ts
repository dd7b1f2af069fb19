import { equalBytes, utf8 } from '../../src/lib/bytes.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { within } from '../../src/lib/deadline.ts'
import { type Fetched, HeldCredential } from '../../src/lib/held-credential.ts'
import { foreignScope, tokenError } from './errors.ts'

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

type Lasting = Omit<TokenOptions, 'abortSignal' | 'claims'>

/** What is asked for, and what is there of it. */
type Entry = {
  readonly held: HeldCredential<string>
  /** The last one that the vault has refused. */
  refused: string | undefined
  /** The last one that the vault wants claims of. */
  lacking: string | undefined
  /**
   * What the next fetch is told, and no other: whoever has signed in again, as the CLI wants it, has a token
   * that needs none, and cannot ask for one with claims.
   */
  claims: string | undefined
}

/**
 * Tokens for one vault: fetched once for all who ask at the same time, held until shortly before their end.
 * The SDK's own cache is kept out of it by tokens that say they have ended, since it would send a token that
 * the vault has refused until that token ends.
 */
export interface HeldTokens extends TokenSource {
  /** The vault has answered 401 to it. @returns another, or undefined for a token that is not from here. */
  replace(token: string): Promise<string | undefined>
  /** The vault has answered otherwise to it. */
  accept(token: string): void
  /**
   * The vault wants claims of it that it has not got. The next `getToken` with claims replaces it, unless
   * another was given up for the vault a moment ago and has not been accepted since.
   */
  lacks(token: string): void
}

/**
 * @param open a credential with an empty cache, since MSAL holds tokens too.
 * @param known what a token may be asked for.
 */
export function heldTokens(
  open: () => TokenSource,
  clock: Clock,
  known: readonly string[],
): HeldTokens {
  const entries = new Map<string, Entry>()
  const source = reopened(open)

  /** Claims tell no entries apart: who asks next asks without them, and is to have the same token. */
  const entryOf = (scopes: string | string[], { tenantId, enableCae }: Lasting): Entry => {
    const id = JSON.stringify([scopes, tenantId, enableCae])
    const lasting = { ...(tenantId !== undefined && { tenantId }), enableCae: enableCae === true }
    const fetch = (told: object, signal: AbortSignal) =>
      source.fetch(scopes, { ...lasting, ...told }, signal)
    const entry = entries.get(id) ?? newEntry(fetch, clock)
    entries.set(id, entry)
    return entry
  }

  /** @returns false where another was given up a moment ago. */
  const giveUp = (entry: Entry, claims?: string): boolean => {
    const { held } = entry.held
    if (!entry.held.giveUp()) return false
    entry.refused = held
    entry.claims = claims
    source.forget()
    return true
  }

  return {
    async getToken(scopes, { abortSignal, claims, ...options }) {
      const asked = [scopes].flat()
      if (!asked.every((scope) => known.includes(scope))) throw foreignScope(asked)
      const entry = entryOf(scopes, options)
      if (claims !== undefined && isSame(entry.lacking, entry.held.held)) giveUp(entry, claims)
      const token = await within(entry.held.get(), abortSignal ?? never)
      return { token, expiresOnTimestamp: 0 }
    },

    accept(token) {
      for (const { held } of entries.values()) if (isSame(held.held, token)) held.accept()
    },

    lacks(token) {
      for (const entry of entries.values()) {
        if (isSame(entry.held.held, token)) entry.lacking = token
      }
    },

    async replace(refused) {
      for (const entry of entries.values()) {
        if (isSame(entry.held.held, refused) && !giveUp(entry)) return undefined
        if (isSame(entry.refused, refused)) return entry.held.get()
      }
      return undefined
    },
  }
}

/** What is fetched with, opened at the first fetch, and anew after each that hangs. */
function reopened(open: () => TokenSource) {
  let source: TokenSource | undefined
  return {
    async fetch(scopes: string | string[], options: TokenOptions, signal: AbortSignal) {
      const asked = (source ??= open())
      try {
        const token = await within(
          asked.getToken(scopes, { ...options, abortSignal: signal }),
          signal,
        )
        if (!token) throw new TypeError('the credential gave no token')
        return { credential: token.token, expiresAt: token.expiresOnTimestamp }
      } catch (error) {
        // One that hangs may do so for ever, and shares what it waits for.
        if (signal.aborted && source === asked) source = undefined
        throw signal.aborted ? error : tokenError(error)
      }
    },
    forget() {
      source = undefined
    },
  }
}

type Fetch = (told: { readonly claims?: string }, signal: AbortSignal) => Promise<Fetched<string>>

function newEntry(fetch: Fetch, clock: Clock): Entry {
  const entry: Entry = {
    held: new HeldCredential((signal) => {
      const { claims } = entry
      entry.claims = undefined
      return fetch(claims === undefined ? {} : { claims }, signal)
    }, clock),
    refused: undefined,
    lacking: undefined,
    claims: undefined,
  }
  return entry
}

const { signal: never } = new AbortController()

function isSame(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && equalBytes(utf8(one), utf8(other))
}
