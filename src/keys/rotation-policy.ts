/** When a key's versions change, and how long each stage of it takes. */
export type RotationPolicy = {
  /** Undefined: only when somebody asks for it. */
  readonly everyMs: number | undefined
  /** How long a version that signs no more stays published: at least as long as its last tokens live. */
  readonly overlapMs: number
  /** How many published versions wait to be the next. */
  readonly standby: number
  /** From its publication until a version may sign; the registry's own time, where that is longer. */
  readonly propagationMs: number
}

/** A clock beside ours may be wrong by this much when it looks at the last token's `exp`. */
export const overlapMarginMs = 120_000
