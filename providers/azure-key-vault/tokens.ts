import { equalBytes, utf8 } from '../../src/lib/bytes.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { within } from '../../src/lib/deadline.ts'
import { HeldCredential } from '../../src/lib/held-credential.ts'
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

/** What is asked for, and what is there of it. */
type Entry = {
  readonly held: HeldCredential<string>
  /** The last one that the vault has refused. */
  refused: string | undefined
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
  let source: TokenSource | undefined

  const fetch = async (scopes: string | string[], options: TokenOptions, signal: AbortSignal) => {
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
  }

  return {
    async getToken(scopes, { abortSignal, ...options }) {
      const asked = [scopes].flat()
      if (!asked.every((scope) => known.includes(scope))) throw foreignScope(asked)
      const id = JSON.stringify([scopes, options])
      const entry = entries.get(id) ?? {
        held: new HeldCredential((signal) => fetch(scopes, options, signal), clock),
        refused: undefined,
      }
      entries.set(id, entry)
      const token = await within(entry.held.get(), abortSignal ?? never)
      return { token, expiresOnTimestamp: 0 }
    },

    accept(token) {
      for (const { held } of entries.values()) if (isSame(held.held, token)) held.accept()
    },

    async replace(refused) {
      for (const entry of entries.values()) {
        if (isSame(entry.held.held, refused)) {
          if (!entry.held.giveUp()) return undefined
          entry.refused = refused
          source = undefined
        }
        if (isSame(entry.refused, refused)) return entry.held.get()
      }
      return undefined
    },
  }
}

const { signal: never } = new AbortController()

function isSame(one: string | undefined, other: string): boolean {
  return one !== undefined && equalBytes(utf8(one), utf8(other))
}
