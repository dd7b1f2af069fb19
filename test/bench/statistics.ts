/** Of an even count the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  const upper = sorted[half] ?? NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? NaN) + upper) / 2
}

/** How far two means are apart, in units of what chance would make of it (Welch). */
export function welchT(a: readonly number[], b: readonly number[]): number {
  const [one, other] = [moments(a), moments(b)]
  return (one.mean - other.mean) / Math.sqrt(one.variance / a.length + other.variance / b.length)
}

function moments(values: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, variance: squares / (values.length - 1) }
}

/** Nearest rank: a value that was really seen. Nothing of nothing. */
export function percentiles(
  values: readonly number[],
  ranks: readonly number[],
): readonly number[] {
  const sorted = Float64Array.from(values).toSorted()
  return ranks.flatMap(
    (rank) => sorted[Math.max(0, Math.ceil((rank / 100) * sorted.length) - 1)] ?? [],
  )
}
