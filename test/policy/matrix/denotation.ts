import type { Members } from './case.ts'

/** What left, as one line: expected by the oracle, read from the bytes that the service answered. */
export type Signed = {
  readonly version: number
  readonly header?: Members
  readonly payload?: Members
  /** JWT seconds; null where nothing expires. */
  readonly expires?: number | null
}

export function allowed({ version, header, payload, expires }: Signed): string {
  const text = [header, payload].map((members) => (members ? sorted(members) : '-')).join(' ')
  const until = expires === undefined ? '-' : String(expires)
  return `200 version ${version} ${text} until ${until}`
}

/** Members in one order; the order that they were sent in is no part of their meaning. */
function sorted(members: Members): string {
  const present = Object.entries(members).filter(([, value]) => value !== undefined)
  return JSON.stringify(
    Object.fromEntries(present.toSorted(([one], [other]) => (one < other ? -1 : 1))),
  )
}
