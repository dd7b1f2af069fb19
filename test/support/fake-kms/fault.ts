import type { WireFault } from '../wire-fault.ts'

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

/** What can go wrong on the way, or in the vault itself. */
export type Fault =
  | WireFault
  | { readonly kind: 'error'; readonly type: string; readonly status?: number }
  | { readonly kind: 'throttle'; readonly retryAfterSeconds: number }
  /** All is well, and nothing is said. */
  | { readonly kind: 'nothing'; readonly body: '' | '{}' | '[]' | 'null' }
