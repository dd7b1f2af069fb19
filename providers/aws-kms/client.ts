import {
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DescribeKeyCommand,
  DisableKeyCommand,
  GenerateMacCommand,
  type GenerateMacCommandInput,
  GetParametersForImportCommand,
  type GetParametersForImportCommandInput,
  GetPublicKeyCommand,
  ImportKeyMaterialCommand,
  type ImportKeyMaterialCommandInput,
  KMSClient,
  ListKeysCommand,
  ListResourceTagsCommand,
  SignCommand,
  type SignCommandInput,
} from '@aws-sdk/client-kms'
import { ServiceError } from '../../src/errors.ts'
import { z } from 'zod'
import type { Clock } from '../../src/lib/clock.ts'
import type { ExchangeTiming } from '../../src/lib/clock-watch.ts'
import { within } from '../../src/lib/deadline.ts'
import { lingeringMax } from '../../src/lib/lingering.ts'
import { ReplacedCredential } from '../../src/signing/signer.ts'
import type { AwsKmsConfig } from './config.ts'
import { type HeldCredentials, heldCredentials } from './credentials.ts'
import { isEndedCredential, type KmsAction, kmsError, type Reader } from './errors.ts'
import { credentialSources } from './sources.ts'

export type KmsSurroundings = {
  readonly clock: Clock
  /** What the process was started with. */
  readonly environment: (name: string) => string | undefined
  /** Who is told what goes wrong. */
  readonly reader: Reader
  /** A belt: callers bring deadlines of their own, none longer than the 5 seconds that are usual. */
  readonly requestTimeoutMs?: number
  /** Of requests to KMS itself; undefined where nobody watches its clock. */
  readonly timing?: ExchangeTiming | undefined
}

export type KmsClient = ReturnType<typeof kmsClient>

const usualRequestTimeoutMs = 5_000
const connectionTimeoutMs = 2_000

/**
 * The calls of KMS that the provider makes, each one request: never retried, ended with the signal. Where
 * they go stands in the configuration alone.
 *
 * @throws {ServiceError} `config_invalid` for an environment that would have them go elsewhere.
 */
export function kmsClient(config: AwsKmsConfig, surroundings: KmsSurroundings) {
  assertEnvironment(surroundings.environment)
  const { sdk, credentials } = sdkClient(config, surroundings)
  if (surroundings.timing) watchClock(sdk, surroundings.timing)
  const call = calling(surroundings.reader, credentials)
  return {
    createKey: (input: CreateKeyCommandInput, signal: AbortSignal) =>
      call('CreateKey', signal, (options) => sdk.send(new CreateKeyCommand(input), options)),
    describeKey: (KeyId: string, signal: AbortSignal) =>
      call('DescribeKey', signal, (options) =>
        sdk.send(new DescribeKeyCommand({ KeyId }), options),
      ),
    disableKey: (KeyId: string, signal: AbortSignal) =>
      call('DisableKey', signal, (options) => sdk.send(new DisableKeyCommand({ KeyId }), options)),
    generateMac: (input: GenerateMacCommandInput, signal: AbortSignal) =>
      call('GenerateMac', signal, (options) => sdk.send(new GenerateMacCommand(input), options)),
    getParametersForImport: (input: GetParametersForImportCommandInput, signal: AbortSignal) =>
      call('GetParametersForImport', signal, (options) =>
        sdk.send(new GetParametersForImportCommand(input), options),
      ),
    getPublicKey: (KeyId: string, signal: AbortSignal) =>
      call('GetPublicKey', signal, (options) =>
        sdk.send(new GetPublicKeyCommand({ KeyId }), options),
      ),
    importKeyMaterial: (input: ImportKeyMaterialCommandInput, signal: AbortSignal) =>
      call('ImportKeyMaterial', signal, (options) =>
        sdk.send(new ImportKeyMaterialCommand(input), options),
      ),
    listKeys: (Marker: string | undefined, signal: AbortSignal) =>
      call('ListKeys', signal, (options) => sdk.send(new ListKeysCommand({ Marker }), options)),
    listResourceTags: (KeyId: string, Marker: string | undefined, signal: AbortSignal) =>
      call('ListResourceTags', signal, (options) =>
        sdk.send(new ListResourceTagsCommand({ KeyId, Marker }), options),
      ),
    sign: (input: SignCommandInput, signal: AbortSignal) =>
      call('Sign', signal, (options) => sdk.send(new SignCommand(input), options)),
  }
}

/** The signal is given to the SDK, which frees the connection; fetching credentials does not know it. */
function calling<C>(reader: Reader, credentials: HeldCredentials<C>) {
  return async <T>(
    action: KmsAction,
    signal: AbortSignal,
    send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> => {
    signal.throwIfAborted()
    const used = credentials.held
    try {
      const answer = await within(send({ abortSignal: signal }), signal)
      credentials.accept(used)
      return answer
    } catch (error) {
      signal.throwIfAborted()
      const isReplaced = isEndedCredential(error) && credentials.replace(used)
      throw kmsError(action, isReplaced ? replaced(error) : error, reader)
    }
  }
}

/** Another try is worth it: whoever counts the tries is told. */
function replaced(cause: unknown): ReplacedCredential {
  return new ReplacedCredential('the credentials have ended', { cause })
}

/** https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html: all that is pinned here. */
function sdkClient(
  config: AwsKmsConfig,
  { clock, requestTimeoutMs = usualRequestTimeoutMs }: KmsSurroundings,
) {
  const { region, endpoint, concurrency } = config
  const agent = { keepAlive: true, maxSockets: concurrency + lingeringMax(concurrency) }
  const requestHandler = {
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    throwOnRequestTimeout: true,
    socketTimeout: requestTimeoutMs,
    logger: silent,
  }
  const { config: bare } = new KMSClient({ region, logger: silent, requestHandler })
  const sources = {
    chain: bare.credentialDefaultProvider,
    sender: bare.requestHandler,
    logger: silent,
  }
  const credentials = heldCredentials(credentialSources(config, sources), clock)
  const sdk = new KMSClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ignoreConfiguredEndpointUrls: true,
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    defaultsMode: 'standard',
    retryMode: 'standard',
    maxAttempts: 1,
    // They have ended, as far as the SDK knows: it would hold them itself, and what never ends for ever.
    credentials: async () => ({ ...(await credentials.get()), expiration: new Date(0) }),
    logger: silent,
    requestHandler: { ...requestHandler, httpAgent: agent, httpsAgent: agent },
  })
  return { sdk, credentials }
}

/** As much of an answer of the SDK's as is looked at; its names are in lower case. */
const rawAnswer = z.object({ headers: z.record(z.string(), z.string()) })

/**
 * Every answer, refusals too, before the SDK reads it. A clock that is wrong it puts right for its own
 * signatures, in silence: nobody else would hear of it.
 * https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/middleware-stack.html
 */
function watchClock(sdk: KMSClient, timing: ExchangeTiming): void {
  sdk.middlewareStack.add(
    (next) => async (args) => {
      const answered = timing()
      const result = await next(args)
      const headers = rawAnswer.safeParse(result.response).data?.headers
      answered({ get: (name) => headers?.[name] })
      return result
    },
    { step: 'deserialize', priority: 'low', name: 'watchClock' },
  )
}

/** What the SDK would print is in the errors that it throws; stderr is for the log alone. */
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/**
 * Of KMS, and of the services that the SDK fetches credentials from, with a token in its hand.
 * https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html
 */
const strayEndpoints = [
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_KMS',
  'AWS_ENDPOINT_URL_STS',
  'AWS_ENDPOINT_URL_SSO',
  'AWS_ENDPOINT_URL_SSO_OIDC',
  'AWS_ENDPOINT_URL_SIGNIN',
] as const

/** Whoever set them meant something: they are not ignored in silence. */
function assertEnvironment(environment: KmsSurroundings['environment']): void {
  const stray = strayEndpoints.find((name) => (environment(name) ?? '') !== '')
  if (stray !== undefined) throw refusal(stray, 'http://127.0.0.1:4566')
  // https://docs.aws.amazon.com/sdkref/latest/guide/feature-endpoints.html
  const fips = 'AWS_USE_FIPS_ENDPOINT'
  if (environment(fips) === 'true') throw refusal(fips, 'https://kms-fips.REGION.amazonaws.com')
}

function refusal(name: string, example: string): ServiceError {
  const message = `${name} is set, and only the configuration says where a vault is: unset it, and if it was meant, give the vault an endpoint, like ${example}`
  return new ServiceError('config_invalid', message)
}
