import type { ChanceryClient } from './client.ts'

/**
 * Signs tokens that the application has assembled (`header.payload`), like those of API keys whose
 * device builds them and whose server signs. Each is signed anew.
 *
 * @returns a function from the signing input to its signature in base64url.
 */
export function tokenSigner(
  client: ChanceryClient,
  key: string,
): (signingInput: string) => Promise<string> {
  return async (signingInput) => (await client.sign(key, { signingInput })).signature
}
