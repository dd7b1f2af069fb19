import { z } from 'zod'

/** What a list is asked for: so many, from there. */
export const pageRequest = (limits: { readonly usual: number; readonly max: number }) =>
  z.object({
    Limit: z.int().min(1).max(limits.max).default(limits.usual),
    Marker: z.string().min(1).default('0'),
  })

type PageRequest = z.infer<ReturnType<typeof pageRequest>>

/** @param hasEmptyLast whether a full last page says that there is one more, which is empty. */
export function pageOf<T>(
  all: readonly T[],
  { Limit, Marker }: PageRequest,
  hasEmptyLast = false,
): { readonly part: readonly T[]; readonly rest: object } {
  const from = Number(Marker)
  const to = from + Limit
  const part = all.slice(from, to)
  const isFull = to === all.length && part.length > 0
  const hasMore = to < all.length || (isFull && hasEmptyLast)
  return {
    part,
    rest: hasMore ? { Truncated: true, NextMarker: String(to) } : { Truncated: false },
  }
}
