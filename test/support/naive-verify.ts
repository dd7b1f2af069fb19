import { chainRoot, type Link, link } from '../../src/audit/chain.ts'
import type { ChainHead } from '../../src/audit/records.ts'
import { encodeBytes, equalBytes } from '../../src/lib/bytes.ts'
import { type LinkOf, quotesIn } from './audit-history.ts'

/** What a verifier may forget to look at. */
export type Looks = {
  readonly hashes: boolean
  readonly numbers: boolean
  readonly quotes: boolean
  readonly linkOf: LinkOf
}

const looksAtAll: Looks = { hashes: true, numbers: true, quotes: true, linkOf: link }

/** The whole of `audit verify` again, for comparison, as simply as it can be said. */
export function naiveVerdict(
  links: readonly Link[],
  checkpoint: readonly ChainHead[],
  looks: Partial<Looks> = {},
): 'whole' | 'broken' {
  const { hashes, numbers, quotes, linkOf } = { ...looksAtAll, ...looks }
  const chains = [...Map.groupBy(links, ({ writer }) => writer).values()]
  const isWhole =
    chains.every((chain) => chain.every(isInItsPlace)) &&
    (!numbers || chains.every((chain) => chain.every(({ seq }, i) => seq === i + 1))) &&
    (!hashes || chains.every((chain) => isLinked(chain, linkOf))) &&
    (!quotes || [...quotesIn(links), ...checkpoint].every((quote) => isThere(links, quote)))
  return isWhole ? 'whole' : 'broken'
}

/** Names its writer if it is the first, and is another kind of record if not. */
function isInItsPlace({ writer, body }: Link, i: number): boolean {
  const { type, request, heads, writer: named } = read(body)
  if (i === 0) return type === 'writer' && named === writer && isHeads(heads)
  if (type === 'intent' || type === 'outcome') return typeof request === 'string'
  return type === 'denial' || type === 'command'
}

type Loose = Readonly<Partial<Record<string, unknown>>>

function read(body: string): Loose {
  try {
    const value: Loose | undefined = JSON.parse(body)
    return value ?? {}
  } catch {
    return {}
  }
}

function isHeads(heads: unknown): boolean {
  const isHead = ({ writer, seq, hash }: Loose) =>
    typeof writer === 'string' && Number.isInteger(seq) && typeof hash === 'string'
  return Array.isArray(heads) && heads.every(isHead)
}

function isLinked(chain: readonly Link[], linkOf: LinkOf): boolean {
  return chain.every(({ body, hash }, i) =>
    equalBytes(linkOf(chain[i - 1]?.hash ?? chainRoot, body), hash),
  )
}

function isThere(links: readonly Link[], quote: ChainHead): boolean {
  return links.some(
    ({ writer, seq, hash }) =>
      writer === quote.writer && seq === quote.seq && encodeBytes(hash, 'base64url') === quote.hash,
  )
}
