import type { WireFault } from '../wire-fault.ts'

/** An error as Key Vault answers it: https://learn.microsoft.com/azure/key-vault/general/rest-error-codes */
export class VaultFault extends Error {
  readonly status: number
  readonly code: string
  readonly inner: string | undefined

  constructor(status: number, code: string, message: string, inner?: string) {
    super(message)
    this.status = status
    this.code = code
    this.inner = inner
  }
}

export const badParameter = (message: string) => new VaultFault(400, 'BadParameter', message)

/** What can go wrong on the way, or in the vault itself. */
export type Fault =
  | WireFault
  | {
      readonly kind: 'error'
      readonly status: number
      readonly code: string
      readonly inner?: string
    }
  | { readonly kind: 'throttle'; readonly retryAfterSeconds: number }
  /** A token that is good is refused all the same, as when its end has come on the way. */
  | { readonly kind: 'refuse-token' }
  /** A challenge of somebody who wants tokens of another kind. */
  | { readonly kind: 'challenge'; readonly resource: string }
  /** One in words that are not the vault's own. */
  | { readonly kind: 'foreign-challenge'; readonly words: string }
  | { readonly kind: 'redirect'; readonly to: string }
