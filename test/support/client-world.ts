import type { Surroundings } from '../../src/client/surroundings.ts'

export type AskedOf = { readonly url: string; readonly init: RequestInit }

/** What the client takes from the world, by hand: clocks that a test moves, and answers that it gives. */
export function clientWorld(
  answer: (asked: AskedOf, times: number) => Response | Promise<Response>,
) {
  const clocks = { now: 1_800_000_000_000, monotonicMs: 5_000 }
  const asked: AskedOf[] = []
  const pauses: number[] = []
  const around: Surroundings = {
    async fetch(url, init) {
      asked.push({ url, init })
      return answer({ url, init }, asked.length)
    },
    now: () => clocks.now,
    monotonicMs: () => clocks.monotonicMs,
    async pause(ms) {
      pauses.push(ms)
      clocks.now += ms
      clocks.monotonicMs += ms
    },
    chance: () => 0,
  }
  return { around, clocks, asked, pauses }
}

export const someJwt = 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln'

/** Good for `lastsMs` by a clock of the service's own. */
export function signedAnswer({
  now,
  lastsMs,
  key = 'blog',
  jwt = someJwt,
}: {
  readonly now: number
  readonly lastsMs: number
  readonly key?: string
  readonly jwt?: string
}): Response {
  const expiresAt = new Date(now + lastsMs).toISOString()
  const body = { jwt, key, version: 1, kid: 'k', alg: 'ES256', expiresAt }
  return Response.json(body, { headers: { Date: new Date(now).toUTCString() } })
}

/** RFC 9457, as the service writes it. */
export function problemAnswer(
  status: number,
  code: string,
  {
    headers,
    ...members
  }: { readonly headers?: Record<string, string>; readonly [name: string]: unknown } = {},
): Response {
  const body = {
    type: `urn:chancery:problem:${code}`,
    title: 'A title',
    status,
    detail: 'A detail',
    code,
  }
  return Response.json(
    { ...body, requestId: 'an-id', ...members },
    { status, headers: { 'X-Request-Id': 'an-id', ...headers } },
  )
}
