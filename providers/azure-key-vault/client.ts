import {
  type CreateKeyOptions,
  CryptographyClient,
  type ImportKeyOptions,
  type JsonWebKey,
  KeyClient,
  type KeyClientOptions,
  type KeyVaultKey,
} from '@azure/keyvault-keys'
import { Agent } from 'node:https'
import { ServiceError } from '../../src/errors.ts'
import type { Clock } from '../../src/lib/clock.ts'
import type { ExchangeTiming } from '../../src/lib/clock-watch.ts'
import { deadline, within } from '../../src/lib/deadline.ts'
import { lingeringMax } from '../../src/lib/lingering.ts'
import { challengeMemory } from './challenge.ts'
import { type AzureKeyVaultConfig, tokenScopes } from './config.ts'
import { credentialOpener, readAuthorities } from './credential.ts'
import { assertEnvironment } from './environment.ts'
import { azureError, type Reader, type VaultAction } from './errors.ts'
import { type HeldTokens, heldTokens } from './tokens.ts'

export type AzureSurroundings = {
  readonly clock: Clock
  /** What the process was started with. */
  readonly environment: (name: string) => string | undefined
  /** Who is told what goes wrong. */
  readonly reader: Reader
  /** A belt: callers bring deadlines of their own, none longer than this. 5 s, where nothing is said. */
  readonly requestTimeoutMs?: number
  /** Of requests to the vault itself; undefined where nobody watches its clock. */
  readonly timing?: ExchangeTiming | undefined
}

export type AzureClient = Awaited<ReturnType<typeof azureClient>>

/** What a signing request was answered, before anybody has looked at it. */
export type SignAnswer = {
  readonly body: unknown
  /** `x-ms-request-id`: by it the vendor finds the request. */
  readonly requestId: string | undefined
}

/**
 * The calls of Key Vault that the provider makes, each one request once a token is held: never retried, but
 * that a token which is refused is replaced and the request made once more; a signature is not, and says
 * so. Ended with the signal.
 *
 * @throws {ServiceError} `config_invalid` for files that cannot be used, and for an environment that would
 *   have requests go elsewhere.
 */
export async function azureClient(config: AzureKeyVaultConfig, surroundings: AzureSurroundings) {
  const { clock, environment, reader, timing, requestTimeoutMs = 5_000 } = surroundings
  assertEnvironment(config, environment)
  const { vaultUrl, caFile } = config
  const ca = caFile === undefined ? undefined : await readAuthorities(caFile)
  const tokens = heldTokens(await credentialOpener(config, ca), clock, tokenScopes(config))
  const options = clientOptions(config, ca, timing ? [clockPolicy(timing)] : [])
  const { sendingAgain, sendingOnce } = memoryOf(tokens)
  const keys = new KeyClient(vaultUrl, tokens, options(sendingAgain))
  const call = calling(reader, requestTimeoutMs)
  return {
    createKey: (name: string, kty: string, asked: CreateKeyOptions, signal: AbortSignal) =>
      call('create/action', signal, (abortSignal) =>
        keys.createKey(name, kty, { ...asked, abortSignal }),
      ),
    disableKey: (name: string, version: string, signal: AbortSignal) =>
      call('update/action', signal, (abortSignal) =>
        keys.updateKeyProperties(name, version, { enabled: false, abortSignal }),
      ),
    /** @param version the present one, where none is named. */
    getKey: (name: string, version: string | undefined, signal: AbortSignal) =>
      call('read', signal, (abortSignal) =>
        keys.getKey(name, { abortSignal, ...(version === undefined ? {} : { version }) }),
      ),
    importKey: (name: string, key: JsonWebKey, asked: ImportKeyOptions, signal: AbortSignal) =>
      call('import/action', signal, (abortSignal) =>
        keys.importKey(name, key, { ...asked, abortSignal }),
      ),
    /** A page at a time, so that each page has a deadline of its own. */
    versionPages: (name: string, signal: AbortSignal) =>
      pages(call, signal, (abortSignal) => keys.listPropertiesOfKeyVersions(name, { abortSignal })),
    /** One client for one version, given what was opened: it asks for nothing but signatures. */
    signing(key: KeyVaultKey) {
      const client = new CryptographyClient(trusted(key), tokens, options(sendingOnce))
      return (algorithm: string, digest: Uint8Array, signal: AbortSignal): Promise<SignAnswer> =>
        call('sign/action', signal, async (abortSignal) => {
          let answer: SignAnswer = { body: undefined, requestId: undefined }
          const onResponse = ({ parsedBody, headers }: Response) => {
            answer = { body: parsedBody, requestId: headers.get('x-ms-request-id') }
          }
          await client.sign(algorithm, digest, { abortSignal, onResponse })
          return answer // the SDK's own result names the key that was asked, not the one that signed
        })
    },
  }
}

/** Of what the SDK hands on of an answer, all that is looked at. */
type Response = {
  readonly parsedBody?: unknown
  readonly headers: { get(name: string): string | undefined }
}

type Call = ReturnType<typeof calling>

/** The signal is given to the SDK, which frees the connection; fetching tokens does not know it. */
function calling(reader: Reader, timeoutMs: number) {
  return async <T>(
    action: VaultAction,
    signal: AbortSignal,
    send: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    signal.throwIfAborted()
    using limit = deadline(timeoutMs, signal, () => signal.reason)
    try {
      return await within(send(limit.signal), limit.signal)
    } catch (error) {
      signal.throwIfAborted()
      throw azureError(action, limit.signal.aborted ? timeOut(error) : error, reader)
    }
  }
}

/** The belt's own deadline is the vault's fault: nobody else's has passed. */
function timeOut(cause: unknown): ServiceError {
  return new ServiceError('vault_unavailable', 'The vault cannot be reached', { cause })
}

type Paged<T> = {
  byPage(settings: { readonly maxPageSize: number }): AsyncIterableIterator<T[]>
}

/** https://learn.microsoft.com/rest/api/keyvault/keys/get-keys/get-keys#uri-parameters: no more than 25. */
const maxPageSize = 25

async function* pages<T>(call: Call, signal: AbortSignal, list: (signal: AbortSignal) => Paged<T>) {
  const iterator = list(signal).byPage({ maxPageSize })
  for (;;) {
    const { done, value } = await call('read', signal, () => iterator.next())
    if (done === true) return
    yield value
  }
}

type Policy = NonNullable<KeyClientOptions['additionalPolicies']>[number]['policy']
type Sending = Policy['sendRequest']

function memoryOf(tokens: HeldTokens) {
  type Request = Parameters<Sending>[0]
  type Answer = Awaited<ReturnType<Sending>>
  return challengeMemory<Request, Answer>(tokens)
}

/** Every answer of the vault, challenges and refusals too. */
function clockPolicy(timing: ExchangeTiming): Policy {
  return {
    name: 'watchClock',
    async sendRequest(request, next) {
      const answered = timing()
      const answer = await next(request)
      answered(answer.headers)
      return answer
    },
  }
}

/** Made anew for each client: the SDK writes into them. */
function clientOptions(
  { authorityHost, concurrency }: AzureKeyVaultConfig,
  ca: string | undefined,
  besides: readonly Policy[],
) {
  // Whoever brings an agent is sent through no proxy of the environment.
  const agent = new Agent({
    keepAlive: true,
    maxSockets: concurrency + lingeringMax(concurrency),
    ...(ca === undefined ? {} : { ca }),
  })
  return (policy: Policy) => ({
    agent,
    additionalPolicies: [policy, ...besides].map((each) => {
      return { policy: each, position: 'perRetry' as const }
    }),
    disableChallengeResourceVerification: authorityHost !== undefined,
    redirectOptions: { maxRetries: 0 },
    retryOptions: { maxRetries: 0 },
  })
}

/** The SDK looks at what it was given for ever; whether the key may sign is the vault's and our store's to say. */
function trusted(key: KeyVaultKey): KeyVaultKey {
  const { notBefore: _, expiresOn: __, ...properties } = key.properties
  return { ...key, properties }
}
