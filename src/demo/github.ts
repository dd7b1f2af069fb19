import { createPublicKey, generateKeyPair, hash, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { jwtVerify } from 'jose'

/** A key of a GitHub App, as GitHub makes it: what it hands out once, what it keeps, what its page shows. */
export type GithubKey = {
  /** PKCS#1, as it is downloaded. */
  readonly pem: string
  readonly publicKey: KeyObject
  /** `SHA256:…` */
  readonly fingerprint: string
}

const makeKeyPair = promisify(generateKeyPair)

/**
 * As when somebody presses "Generate a private key" on the page of an app.
 * https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/managing-private-keys-for-github-apps
 */
export async function generateGithubKey(): Promise<GithubKey> {
  const { publicKey, privateKey } = await makeKeyPair('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
  return {
    pem: privateKey,
    publicKey: createPublicKey({ key: publicKey, format: 'der', type: 'spki' }),
    fingerprint: `SHA256:${hash('sha256', publicKey, 'base64')}`,
  }
}

/** Of a JWT that it takes: when it was issued and when it expires, in seconds from now. */
export type GithubAnswer =
  | { readonly verdict: 'taken'; readonly agoS: number; readonly aheadS: number }
  | { readonly verdict: 'refused'; readonly why: string }

const lifetimeSMax = 600

/**
 * GitHub's rules for the JWT of an app, by its own half of the key. Stricter in one thing: a header
 * has `alg` and `typ` alone, since GitHub gives its keys no kid.
 * https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
 *
 * @param clientId what `iss` has to be.
 * @param nowMs epoch milliseconds at GitHub.
 */
export async function askGithub(
  jwt: string,
  { publicKey }: GithubKey,
  { clientId, nowMs }: { readonly clientId: string; readonly nowMs: number },
): Promise<GithubAnswer> {
  try {
    const { payload, protectedHeader } = await jwtVerify(jwt, publicKey, {
      algorithms: ['RS256'],
      issuer: clientId,
      requiredClaims: ['iat', 'exp'],
      currentDate: new Date(nowMs),
    })
    const nowS = Math.floor(nowMs / 1_000)
    const { iat = 0, exp = 0 } = payload
    if (Object.keys(protectedHeader).toSorted().join() !== 'alg,typ')
      return refusal('a header with more than alg and typ')
    if (iat > nowS) return refusal('issued in the future')
    if (exp - Math.min(iat, nowS) > lifetimeSMax) return refusal('longer than 10 minutes')
    return { verdict: 'taken', agoS: nowS - iat, aheadS: exp - nowS }
  } catch (error) {
    return refusal(error instanceof Error ? error.message : String(error))
  }
}

function refusal(why: string): GithubAnswer {
  return { verdict: 'refused', why }
}
