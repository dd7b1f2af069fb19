import type { Members } from './case.ts'

/** CONTRACT §1.1: "≤ 64 members, names ≤ 64 characters, depth ≤ 8, strings ≤ 2 KiB, safe integers". */
export function isBounded(claims: Members): boolean {
  return parts(claims, 1).every(({ name, value, depth }) => {
    if (name.length > 64) return false
    if (typeof value === 'string') return Buffer.from(value).length <= 2_048
    if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 2 ** 53
    if (typeof value !== 'object' || value === null) return true
    const isNarrow = Array.isArray(value) || Object.keys(value).length <= 64
    return depth <= 8 && isNarrow
  })
}

/** A signing input is signed as it stands: a fraction or an exponent in its text is no integer. */
export function isWhole(payload: Members): boolean {
  return parts(payload, 1).every(
    ({ value }) => typeof value !== 'number' || /^-?\d+$/.test(String(value)),
  )
}

type Part = { readonly name: string; readonly value: unknown; readonly depth: number }

/** A value and everything inside it, in a flat list. */
function parts(value: unknown, depth: number, name = ''): readonly Part[] {
  const inside = typeof value === 'object' && value !== null ? Object.entries(value) : []
  const nested = inside.flatMap(([inner, item]: [string, unknown]) => parts(item, depth + 1, inner))
  return [{ name, value, depth }, ...nested]
}
