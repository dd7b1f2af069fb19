import { hash } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { algorithm, type AlgorithmName } from '../../src/signing/algorithms.ts'
import { type SigningKey, signDigest, signMessage } from '../../src/signing/sign.ts'
import { figure } from '../support/figure.ts'
import { memoryKey } from '../support/memory-key.ts'
import { alterations, type Asked, type VaultAnswer, type Wire } from './altered-answers.ts'
import { codeOf, signal } from './signer-harness.ts'

export type Share = {
  readonly algorithm: AlgorithmName
  readonly form: 'message' | 'digest'
  readonly answers: number
}

export interface AlteredHarness {
  readonly provider: string
  readonly shares: readonly Share[]
  readonly wire: Wire
  /** `memoryKey`'s first key of the algorithm, in the vault, and opened. */
  readonly open: (name: AlgorithmName) => Promise<SigningKey>
  /** The next signature that is asked for is answered with what this makes of it. */
  readonly alterNext: (change: (answer: VaultAnswer) => VaultAnswer) => void
}

/** By kind: how many there were, and how many were not caught. */
type Count = { all: number; missed: number }

/** What a vault that errs, or whoever speaks in its place, may answer: nothing of it is released. */
export function describeAltered(harness: AlteredHarness): void {
  const { provider, shares } = harness
  const counts = new Map<string, Count>()

  describe(`[C2] ${provider}: altered answers`, () => {
    afterAll(() => figure(words(provider, counts)))

    test.each(shares)('$answers to a $form, of $algorithm: none is released', async (share) => {
      const key = await harness.open(share.algorithm)
      const atOnce = Math.ceil(share.answers / kindsTurns)
      const missed: string[] = []
      for (let from = 0; from < share.answers; from += atOnce) {
        const { kind, codes } = await batch(harness, key, share, { from, atOnce })
        const others = codes.filter((code) => code !== 'signature_invalid')
        const count = counts.get(kind) ?? { all: 0, missed: 0 }
        counts.set(kind, {
          all: count.all + codes.length,
          missed: count.missed + others.length,
        })
        missed.push(...others.map((code) => `${kind}, from ${from}: ${String(code)}`))
      }
      expect(missed).toEqual([])
    })
  })
}

/** How often another kind has its turn: each of them more than once. */
const kindsTurns = 100

type Batch = { readonly from: number; readonly atOnce: number }

/** Signatures of one message, whose answers are altered in one way: which answers whom does not matter. */
async function batch(
  { alterNext, wire }: AlteredHarness,
  key: SigningKey,
  { algorithm: name, form }: Share,
  { from, atOnce }: Batch,
) {
  const row = algorithm(name)
  if (row.kty === 'oct') throw new TypeError('whose MAC it is, nobody here can tell')
  const message = Buffer.from(`message ${from}`)
  const { secret } = memoryKey(name)
  const asked: Asked = { row, message, secret, other: memoryKey(name, 'other').secret }
  let kind = 'none'
  const signing = Array.from({ length: atOnce }, (_, i) => {
    alterNext((answer) => {
      const ways = Object.entries(alterations(asked, wire, answer, from + i))
      const [chosen, altered] = ways[(from / atOnce) % ways.length] ?? ['none', () => answer]
      kind = chosen
      return altered()
    })
    return form === 'message' || row.kty === 'OKP'
      ? signMessage(key, message, signal)
      : signDigest(key, new Uint8Array(hash(row.hash, message, 'buffer')), signal)
  })
  const codes = await Promise.all(signing.map(codeOf))
  return { kind, codes }
}

function words(provider: string, counts: ReadonlyMap<string, Count>): string {
  const all = [...counts.values()].reduce((sum, count) => sum + count.all, 0)
  const missed = [...counts.values()].reduce((sum, count) => sum + count.missed, 0)
  const kinds = [...counts].map(([kind, count]) => `  ${count.all} ${kind}`)
  return [`${provider}: ${all} altered answers, ${missed} not caught`, ...kinds].join('\n')
}
