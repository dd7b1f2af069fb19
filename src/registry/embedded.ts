import { ServiceError } from '../errors.ts'
import { pause } from '../lib/deadline.ts'
import { publishedJwk } from '../signing/public-jwk.ts'
import { ask } from './app-key-answer.ts'
import { type AppKeyAddress, appKeyApi } from './app-key-api.ts'
import { appKeyRegistry } from './app-keys.ts'
import { type Registry, registryFacts } from './registry.ts'

/** An app of our own registry, which takes RFC 7517 JWKs of every public algorithm. */
export function embeddedRegistry(address: AppKeyAddress): Registry {
  return appKeyRegistry(appKeyApi(address, pause), {
    facts: registryFacts.embedded,
    jwk: ({ publicKey, kid, algorithm }) => publishedJwk(publicKey, kid, algorithm),
    propagationMs: (signal) => jwksMaxAgeMs(address, signal),
    pause,
  })
}

/** Its verifiers keep the app's JWKS for so long; they need no token to read it, and so none is sent. */
async function jwksMaxAgeMs(
  { url, app, timing }: Pick<AppKeyAddress, 'url' | 'app' | 'timing'>,
  signal: AbortSignal,
): Promise<number> {
  const jwks = `${url.replace(/\/+$/, '')}/apps/${encodeURIComponent(app)}/.well-known/jwks.json`
  const question = { method: 'GET', url: jwks, headers: {} } as const
  const { status, maxAgeMs } = await ask(question, signal, timing)
  if (status === 200) return maxAgeMs
  const message = `The registry answered ${status} where verifiers read the app's keys`
  throw new ServiceError('registry_unavailable', message)
}
