import type { Purpose } from '../keys/key.ts'
import type { Bytes } from '../lib/bytes.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Operation } from '../policy/grant.ts'

/** Every transport checks the bounds of a claim set before it asks for anything. */
export { claimSetComplaint, isJsonObject } from '../policy/claim-set.ts'

/** The four ways to ask for a signature. */
export type SignForm =
  | { readonly kind: 'claims'; readonly claims: JsonObject }
  | { readonly kind: 'signingInput'; readonly text: string }
  | { readonly kind: 'message'; readonly message: Uint8Array }
  | { readonly kind: 'digest'; readonly digest: Bytes }

/** What each form needs of a grant, and of the key. */
export const needs = {
  claims: { operation: 'sign-claims', purpose: 'jwt' },
  signingInput: { operation: 'sign-input', purpose: 'jwt' },
  message: { operation: 'sign-message', purpose: 'bytes' },
  digest: { operation: 'sign-digest', purpose: 'bytes' },
} as const satisfies Record<
  SignForm['kind'],
  { readonly operation: Operation; readonly purpose: Purpose }
>
