/** What can be suspended; the flags are independent of each other and of the lifecycle. */
export const suspensionKinds = ['key', 'version', 'caller', 'everything'] as const
export type SuspensionKind = (typeof suspensionKinds)[number]

export type SuspensionSubject = {
  readonly kind: SuspensionKind
  /** The key, `key@n`, the caller, or `*` for everything. */
  readonly name: string
}

export type Suspension = SuspensionSubject & { readonly reason: string; readonly at: number }

export const everything: SuspensionSubject = { kind: 'everything', name: '*' }

/** Whether any of the suspensions stops this caller from signing with this version. */
export function isSuspended(
  has: (subject: SuspensionSubject) => boolean,
  {
    caller,
    key,
    version,
  }: { readonly caller: string; readonly key: string; readonly version: number },
): boolean {
  return (
    has(everything) ||
    has({ kind: 'caller', name: caller }) ||
    has({ kind: 'key', name: key }) ||
    has({ kind: 'version', name: `${key}@${version}` })
  )
}
