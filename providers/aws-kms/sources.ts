import { z } from 'zod'
import { type AwsKmsConfig, emulatorAt, isCredentialsHost } from './config.ts'

/** As much of a request of the SDK's as is looked at. */
type Request = { readonly protocol: string; readonly hostname: string; readonly port?: number }

/** What sends the SDK's requests. */
type Sender<Q extends Request, O, A> = {
  readonly handle: (request: Q, options?: O) => Promise<A>
  readonly metadata?: unknown
}

/** What the SDK itself would look for credentials with: made anew each time, and told what to heed. */
export type Chain<C> = (settings: object) => (identity: object) => Promise<C>

/** Of the KMS client that asks for them. */
export type Sdk<C, Q extends Request, O, A> = {
  readonly chain: Chain<C>
  readonly sender: Sender<Q, O, A>
  readonly logger: object
}

/**
 * Chains of the SDK's, one for each fetch, held to the configuration: they go to AWS's own hosts or, with
 * an emulator, to it alone, and a named profile is the only source. The SDK by itself follows an `endpoint_url`
 * of the shared configuration file, with a token or a signature in its hand, and takes another source when a
 * profile has none.
 */
export function credentialSources<C, Q extends Request, O, A>(
  { region, endpoint, credentials }: AwsKmsConfig,
  { chain, sender, logger }: Sdk<C, Q, O, A>,
): () => () => Promise<C> {
  const { profile } = credentials ?? {}
  const emulator = emulatorAt(endpoint)
  return () => async () => {
    let refusal: Error | undefined
    const handle = async (request: Q, options?: O): Promise<A> => {
      if (mayBeAsked(request, emulator)) return sender.handle(request, options)
      refusal = strayEndpoint(request.hostname)
      throw refusal
    }
    const requestHandler = { ...unused, metadata: sender.metadata, handle }
    const caller = { region: async () => region, requestHandler, logger }
    const found = chain({
      logger,
      ignoreCache: true, // whoever rotates what is in the files is seen
      ...(profile === undefined ? {} : { profile }),
      clientConfig: { requestHandler, logger, ...(emulator ? { endpoint: emulator.origin } : {}) },
      parentClientConfig: { ...caller, region },
    })
    try {
      const fetched = await found({ callerClientConfig: caller })
      if (profile === undefined || isOfProfile(fetched)) return fetched
    } catch (error) {
      throw refusal ?? error // some sources wrap it in words of their own
    }
    throw named('CredentialsProviderError', `the profile ${profile} has no credentials`)
  }
}

/** Members of the SDK's own handlers that nothing here needs. */
const unused = { destroy() {}, updateHttpClientConfig() {}, httpHandlerConfigs: () => ({}) }

function mayBeAsked({ protocol, hostname, port }: Request, emulator: URL | undefined): boolean {
  if (!emulator) return protocol === 'https:' && isCredentialsHost(hostname)
  const asked = URL.parse(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`)
  return asked?.origin === emulator.origin
}

/** Where the SDK notes what it has credentials from: https://github.com/aws/aws-sdk-js-v3/blob/main/packages/types/src/feature-ids.ts */
const attributed = z.object({ $source: z.record(z.string(), z.unknown()) })

function isOfProfile(credentials: unknown): boolean {
  const { data } = attributed.safeParse(credentials)
  return Object.keys(data?.$source ?? {}).some((name) => name.startsWith('CREDENTIALS_PROFILE'))
}

function strayEndpoint(hostname: string): Error {
  return named('StrayEndpoint', `credentials would be asked for at ${hostname}`)
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name })
}
