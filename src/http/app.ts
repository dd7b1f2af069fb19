import { type Context, Hono } from 'hono'
import { ServiceError } from '../errors.ts'
import type { FingerprintDeps } from '../service/fingerprint.ts'
import type { SignDeps } from '../service/sign.ts'
import { type EndpointDeps, endpoints } from './endpoint.ts'
import { fingerprintRoute } from './fingerprint-route.ts'
import { allowedMethods } from './path.ts'
import { jsonReply, type Reply, textReply } from './reply.ts'
import { signRoute } from './sign-route.ts'

export type SignAppDeps = EndpointDeps & SignDeps & FingerprintDeps

/** The sign listener's application (CONTRACT §1). */
export function signApp(deps: SignAppDeps): Hono {
  const app = new Hono()
  const { open, authenticated } = endpoints(deps)
  app.post('/v1/keys/:key/sign', authenticated('sign', signRoute(deps)))
  app.get('/v1/keys/:key/fingerprint', authenticated('fingerprint', fingerprintRoute(deps)))
  app.get('/openapi.json', open('openapi', openApi))
  app.get('/healthz', open('healthz', health))
  app.notFound(open('none', wrongMethod))
  return app
}

function health(): Reply {
  return textReply('ok')
}

/** Loaded when it is asked for: it is made from every schema. */
async function openApi(): Promise<Reply> {
  const { openApiDocument } = await import('./openapi.ts')
  return jsonReply(openApiDocument)
}

/** No route took it, though its path is one of ours. */
function wrongMethod(context: Context): never {
  const allow = allowedMethods(context)
  throw new ServiceError('method_not_allowed', `Use ${allow}`, { details: { allow } })
}
