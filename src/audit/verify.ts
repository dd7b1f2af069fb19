import { z } from 'zod'
import { encodeBytes, equalBytes } from '../lib/bytes.ts'
import { parseJson } from '../lib/json.ts'
import { chainRoot, type Link, link } from './chain.ts'
import type { ChainHead } from './records.ts'

export type Break = {
  readonly writer: string
  readonly seq: number
  readonly problem: string
}

export type AuditReport = {
  readonly verdict: 'whole' | 'broken'
  readonly breaks: readonly Break[]
  readonly writers: number
  readonly records: number
  readonly intents: number
  /** Intents without an outcome: their signature may exist. */
  readonly unsettled: number
  /** To keep elsewhere: a chain alone cannot show that its tail was cut. */
  readonly heads: readonly ChainHead[]
}

/** Enough to see what happened; a broken chain breaks once per writer, whatever follows. */
const breaksMax = 100

const chainHead = z.object({ writer: z.string(), seq: z.int(), hash: z.string() })
const record = z.discriminatedUnion('type', [
  z.object({ type: z.literal('writer'), writer: z.string(), heads: z.array(chainHead) }),
  z.object({ type: z.literal('intent'), request: z.string() }),
  z.object({ type: z.literal('outcome'), request: z.string() }),
  z.object({ type: z.literal('denial') }),
  z.object({ type: z.literal('command') }),
])

/**
 * Checks stored records, given writer by writer in the order of `seq`. Within a writer every edit,
 * gap, swap and insertion breaks the chain; a writer that is cut or missing is seen by the heads
 * that later writers, and the checkpoint, have quoted.
 */
export class ChainVerifier {
  readonly #breaks: Break[] = []
  /** By position; more than one only when somebody lies. */
  readonly #quoted: Map<string, ChainHead[]>
  readonly #heads: ChainHead[] = []
  readonly #unsettled = new Set<string>()
  #current: ChainHead | undefined
  #hash = chainRoot
  #brokenWriter: string | undefined
  #records = 0
  #intents = 0

  /** @param quoted heads that first records quote, and those of an earlier report. */
  constructor(quoted: readonly ChainHead[]) {
    this.#quoted = Map.groupBy(quoted, position)
  }

  accept(stored: Link): void {
    this.#records += 1
    if (stored.writer !== this.#current?.writer) this.#beginWriter()
    const { writer, seq } = stored
    const expectedSeq = (this.#current?.seq ?? 0) + 1
    if (seq !== expectedSeq) this.#break(stored, `record ${expectedSeq} is missing`)
    if (!equalBytes(link(this.#hash, stored.body), stored.hash)) {
      this.#break(stored, 'the record, or one before it, was changed')
    }
    this.#hash = new Uint8Array(stored.hash)
    this.#current = { writer, seq, hash: encodeBytes(stored.hash, 'base64url') }
    this.#compareQuotes(this.#current)
    this.#read(stored)
  }

  /** The row after the last one is none that a writer could have stored. */
  acceptUnreadable(): void {
    const { writer, seq } = this.#current ?? { writer: 'the first writer', seq: 0 }
    this.#breaks.push({ writer, seq, problem: 'the row after this one cannot be read' })
  }

  finish(): AuditReport {
    this.#beginWriter()
    for (const { writer, seq } of [...this.#quoted.values()].flat()) {
      this.#breaks.push({ writer, seq, problem: 'a later record quotes this one, and it is gone' })
    }
    return {
      verdict: this.#breaks.length === 0 ? 'whole' : 'broken',
      breaks: this.#breaks.slice(0, breaksMax),
      writers: this.#heads.length,
      records: this.#records,
      intents: this.#intents,
      unsettled: this.#unsettled.size,
      heads: this.#heads,
    }
  }

  #compareQuotes(head: ChainHead): void {
    const quotes = this.#quoted.get(position(head)) ?? []
    this.#quoted.delete(position(head))
    if (quotes.every(({ hash }) => hash === head.hash)) return
    this.#break(head, 'a later record quotes another one here')
  }

  #beginWriter(): void {
    if (this.#current) this.#heads.push(this.#current)
    this.#current = undefined
    this.#hash = chainRoot
  }

  #read({ writer, seq, body }: Link): void {
    const parsed = readRecord(body)
    if (!parsed) return this.#break({ writer, seq }, 'the record cannot be read')
    if ((parsed.type === 'writer') !== (seq === 1))
      this.#break({ writer, seq }, 'not where it belongs')
    switch (parsed.type) {
      case 'writer':
        if (parsed.writer !== writer) this.#break({ writer, seq }, 'the record of another writer')
        return
      case 'intent':
        this.#intents += 1
        this.#unsettled.add(parsed.request)
        return
      case 'outcome':
        this.#unsettled.delete(parsed.request)
        return
      case 'denial':
      case 'command':
    }
  }

  #break(
    { writer, seq }: { readonly writer: string; readonly seq: number },
    problem: string,
  ): void {
    if (this.#brokenWriter === writer) return
    this.#brokenWriter = writer
    this.#breaks.push({ writer, seq, problem })
  }
}

/** The heads that a writer's first record quotes; none when it cannot be read. */
export function quotedHeads(firstRecord: string): readonly ChainHead[] {
  const parsed = readRecord(firstRecord)
  return parsed?.type === 'writer' ? parsed.heads : []
}

function position({ writer, seq }: { readonly writer: string; readonly seq: number }): string {
  return `${writer} ${seq}`
}

function readRecord(body: string): z.infer<typeof record> | undefined {
  try {
    return record.parse(parseJson(body))
  } catch {
    return undefined
  }
}
