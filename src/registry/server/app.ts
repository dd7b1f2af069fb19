import { Hono } from 'hono'
import { type EndpointDeps, endpoints } from './endpoint.ts'
import { jwksRoute, type JwksDeps } from './jwks-route.ts'
import { createRoute, deleteRoute, type KeyRouteDeps, listRoute, readRoute } from './key-routes.ts'
import type { Reply } from './reply.ts'
import { checkReadable } from './store/apps.ts'
import type { RegistryStore } from './store/store.ts'

export type RegistryAppDeps = EndpointDeps & KeyRouteDeps & JwksDeps

const keys = '/organizations/:organization/app_definitions/:app/keys'

/** The embedded registry's application (CONTRACT §5). */
export function registryApp(deps: RegistryAppDeps): Hono {
  const app = new Hono()
  const { open, permitted } = endpoints(deps)
  app.get(keys, permitted('list', 'read', listRoute(deps)))
  app.post(keys, permitted('create', 'write', createRoute(deps)))
  app.get(`${keys}/:kid`, permitted('get', 'read', readRoute(deps)))
  app.delete(`${keys}/:kid`, permitted('delete', 'write', deleteRoute(deps)))
  app.get('/apps/:app/.well-known/jwks.json', open('jwks', jwksRoute(deps)))
  app.get(
    '/healthz',
    open('healthz', () => health(deps.store)),
  )
  app.notFound(open('none', async () => ({ refused: { code: 'not_found' } })))
  return app
}

async function health({ connection }: RegistryStore): Promise<Reply> {
  await checkReadable(connection)
  const headers = { 'Content-Type': 'text/plain; charset=utf-8' }
  return { status: 200, body: 'ok\n', headers, code: 'ok' }
}
