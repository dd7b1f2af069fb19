/** An error as KMS answers it: its name is all that clients may go by. */
export class KmsFault extends Error {
  readonly type: string
  readonly status: number

  constructor(type: string, message: string, status = 400) {
    super(message)
    this.type = type
    this.status = status
  }
}

export const validationFault = (message: string) => new KmsFault('ValidationException', message)

type Answer = Readonly<Record<string, unknown>>

/** What can go wrong on the way, or in the vault itself. */
export type Fault =
  | { readonly kind: 'error'; readonly type: string; readonly status?: number }
  | { readonly kind: 'throttle'; readonly retryAfterSeconds: number }
  /** A proxy or load balancer answers in the vault's place. */
  | { readonly kind: 'html'; readonly status: number }
  | { readonly kind: 'broken-json' }
  /** All is well, and nothing is said. */
  | { readonly kind: 'nothing'; readonly body: '' | '{}' | '[]' | 'null' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'silence' }
  | { readonly kind: 'headers-only' }
  | { readonly kind: 'trickle' }
  /** What was asked is done, and nobody is told. */
  | { readonly kind: 'lost-reply' }
  /** A vault that errs: another key, algorithm, signature. */
  | { readonly kind: 'alter'; readonly change: (answer: Answer) => Answer }
