import {
  createCredential,
  credentialId,
  type CredentialRecord,
  isCredential,
  noCredential,
} from '../lib/credential.ts'
import type { Authenticator } from './caller.ts'

/** What the configuration holds of an API key: its public id, and the SHA-256 of the whole string. */
export type ApiKeyRecord = CredentialRecord

/** @returns the key, to be shown once, and the record to keep. */
export function createApiKey(): { readonly text: string; readonly record: ApiKeyRecord } {
  return createCredential('chn')
}

/**
 * Finds the record by its public id and compares digests in constant time; an unknown id takes the
 * same path against a digest that nothing has.
 */
export function apiKeyAuthenticator(
  callers: readonly { readonly name: string; readonly apiKeys: readonly ApiKeyRecord[] }[],
): Authenticator<string> {
  const byId = new Map(
    callers.flatMap(({ name, apiKeys }) =>
      apiKeys.map(
        ({ id, sha256 }) => [id, { sha256, caller: { name, attributes: { name } } }] as const,
      ),
    ),
  )
  const nobody = { sha256: noCredential, caller: undefined }
  return {
    async authenticate(bearer) {
      const id = credentialId('chn', bearer)
      if (id === undefined) return { refused: 'malformed' }
      const { sha256, caller } = byId.get(id) ?? nobody
      const isKnown = isCredential(bearer, sha256)
      return isKnown && caller ? { caller } : { refused: 'unknown_api_key' }
    },
  }
}
