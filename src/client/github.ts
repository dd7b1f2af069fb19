import type { ChanceryClient } from './client.ts'
import { surroundings, type Surroundings } from './surroundings.ts'

/** How far a caller's `iat` may be from the service's clock (65 s), less what two clocks may differ. */
const shiftSecondsMax = 63

const beforeNowSeconds = 30

/**
 * `createJwt` of `@octokit/auth-app` (8.1 and later), in place of `privateKey`: GitHub's own clients
 * then authenticate as the app without its key. https://github.com/octokit/auth-app.js#readme
 *
 * The key's profile is `github-app`; its `issuer` is the app's client id or id.
 */
export function githubCreateJwt(
  client: ChanceryClient,
  key: string,
  { now }: Pick<Surroundings, 'now'> = surroundings,
): (
  clientIdOrAppId: string | number,
  timeDifference?: number,
) => Promise<{ jwt: string; expiresAt: string }> {
  return async (_clientIdOrAppId, timeDifference = 0) => {
    const { jwt, expiresAt } =
      timeDifference === 0
        ? await client.jwt(key)
        : // GitHub has just refused the kept one, as it does when clocks differ: no use in keeping this.
          await client.sign(key, { claims: { iat: shiftedIat(now(), timeDifference) } })
    return { jwt, expiresAt: expiresAt ?? '' }
  }
}

/** In seconds, by GitHub's clock: `timeDifference` is how many it is ahead of ours. */
function shiftedIat(now: number, timeDifference: number): number {
  const wished = timeDifference - beforeNowSeconds
  const shift = Math.min(Math.max(wished, -shiftSecondsMax), shiftSecondsMax)
  return Math.floor(now / 1_000) + Math.trunc(shift)
}
