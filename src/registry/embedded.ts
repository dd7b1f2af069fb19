import { pause } from '../lib/deadline.ts'
import { publishedJwk } from '../signing/public-jwk.ts'
import { type AppKeyAddress, appKeyApi } from './app-key-api.ts'
import { appKeyRegistry } from './app-keys.ts'
import { type Registry, registryFacts } from './registry.ts'

/** An app of our own registry, which takes RFC 7517 JWKs of every public algorithm. */
export function embeddedRegistry(address: AppKeyAddress): Registry {
  return appKeyRegistry(appKeyApi(address), {
    facts: registryFacts.embedded,
    jwk: ({ publicKey, kid, algorithm }) => publishedJwk(publicKey, kid, algorithm),
    pause,
  })
}
