import { inspect } from 'node:util'
import { ServiceError } from '../../src/errors.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { Secret } from '../../src/lib/secret.ts'
import { appKeyApi, type AppKeyAddress } from '../../src/registry/app-key-api.ts'
import { appKeyRegistry } from '../../src/registry/app-keys.ts'
import { type Registration, type Registry, registryFacts } from '../../src/registry/registry.ts'
import type { PublicAlgorithm } from '../../src/signing/algorithms.ts'
import { fingerprints } from '../../src/signing/fingerprint.ts'
import { publishedJwk } from '../../src/signing/public-jwk.ts'
import { memoryKeyPair, type Which } from './memory-key.ts'

export const tokenCanary = 'chr_canary0123_tokenCanaryTokenCanaryTokenCanary'

/** App `blog` of acme at a registry, by the adapter of jobs; it waits for nothing. */
export function appRegistry(
  url: string,
  token = tokenCanary,
  { pause, ...part }: Partial<AppKeyAddress> & { pause?: (ms: number) => Promise<void> } = {},
): Registry & { readonly pauses: readonly number[] } {
  const pauses: number[] = []
  const address = { url, organization: 'acme', app: 'blog', ...part }
  const waiting = pause ?? (async (ms: number) => void pauses.push(ms))
  const api = appKeyApi({ token: async () => new Secret(utf8(token)), ...address }, waiting)
  const registry = appKeyRegistry(api, {
    facts: registryFacts.embedded,
    jwk: ({ publicKey, kid, algorithm }) => publishedJwk(publicKey, kid, algorithm),
    propagationMs: undefined,
    pause: waiting,
  })
  return { ...registry, pauses }
}

export function registrationOf(
  algorithm: PublicAlgorithm['name'] = 'ES256',
  which: Which = 'one',
): Registration {
  const { publicKey } = memoryKeyPair(algorithm, which)
  return { kid: fingerprints(publicKey).contentful, algorithm, publicKey }
}

/** @throws when nothing is thrown, or something else. */
export async function thrownBy(work: Promise<unknown>): Promise<ServiceError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof ServiceError) return error
  throw new Error(`no ServiceError: ${inspect(error)}`)
}
