import { Hono } from 'hono'
import type { Metrics } from './metrics.ts'

/** Why the process should get no traffic now: only what a restart or another replica cures. */
export type NotReady =
  | 'starting'
  | 'draining'
  | 'audit writer dead'
  | 'no versions: run chancery rotate'

/** The ops listener's application: loopback, without credentials, read-only (DESIGN §10). */
export function opsApp(readiness: () => NotReady | undefined, { registry }: Metrics): Hono {
  const app = new Hono()
  app.get('/livez', (context) => context.text('ok\n'))
  app.get('/readyz', (context) => {
    const reason = readiness()
    return reason === undefined ? context.text('ok\n') : context.text(`${reason}\n`, 503)
  })
  app.get('/metrics', async (context) =>
    context.body(await registry.metrics(), 200, { 'Content-Type': registry.contentType }),
  )
  return app
}
