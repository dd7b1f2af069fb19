import type { JsonObject } from '../lib/json.ts'

/** Every transport checks the bounds of a claim set before it asks for anything. */
export { claimSetComplaint, isJsonObject } from '../policy/claim-set.ts'

/** The three ways to ask for a signature. */
export type SignForm =
  | { readonly kind: 'claims'; readonly claims: JsonObject }
  | { readonly kind: 'signingInput'; readonly text: string }
  | { readonly kind: 'message'; readonly message: Uint8Array }
