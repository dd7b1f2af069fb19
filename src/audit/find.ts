import { z } from 'zod'
import { parseJson } from '../lib/json.ts'
import type { Link } from './chain.ts'

const record = z.object({
  type: z.string(),
  request: z.string().optional(),
  inputDigest: z.string().optional(),
})

/** One record that was found, as it is stored. */
export type FoundRecord = {
  readonly writer: string
  readonly seq: number
  readonly record: unknown
}

/** Collects the intents over given inputs, and what became of them. */
export class AuditFinder {
  readonly #digests: ReadonlySet<string>
  readonly #digestOf = new Map<string, string>()
  readonly #found = new Map<string, FoundRecord[]>()

  /** @param digests keyed digests of the inputs looked for. */
  constructor(digests: readonly string[]) {
    this.#digests = new Set(digests)
  }

  /** Takes records in the order they are stored: an outcome stands behind its intent. */
  accept({ writer, seq, body }: Link): void {
    const stored = readLoosely(body)
    const parsed = record.safeParse(stored).data
    if (!parsed?.request) return
    const digest = parsed.inputDigest ?? this.#digestOf.get(parsed.request)
    if (digest === undefined || !this.#digests.has(digest)) return
    if (parsed.type === 'intent') this.#digestOf.set(parsed.request, digest)
    const records = this.#found.get(digest) ?? []
    this.#found.set(digest, [...records, { writer, seq, record: stored }])
  }

  recordsOf(digest: string): readonly FoundRecord[] {
    return this.#found.get(digest) ?? []
  }
}

/** A damaged record is no reason to stop looking: `audit verify` says that it is damaged. */
function readLoosely(body: string): unknown {
  try {
    return parseJson(body)
  } catch {
    return undefined
  }
}
