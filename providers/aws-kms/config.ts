import { z } from 'zod'
import { configuredDestination } from '../../src/lib/destination.ts'
import { requestLimits } from '../../src/lib/request-limits.ts'
import { type Algorithm, signsHash } from '../../src/signing/algorithms.ts'

/** https://docs.aws.amazon.com/general/latest/gr/kms.html */
const regionForm = String.raw`[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}`

/**
 * AWS Key Management Service, one region of one account. Credentials are found by the SDK's own chain:
 * https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/setting-credentials-node.html
 */
export const awsKmsConfig = z
  .strictObject({
    provider: z.literal('aws-kms'),
    region: z.string().regex(new RegExp(`^${regionForm}$`), 'a region of AWS, like eu-central-1'),
    /** An emulator, a private endpoint or a FIPS endpoint in place of the region's own. */
    endpoint: z.string().max(2_048).superRefine(assertEndpoint).optional(),
    /** The endpoint is nobody's that is known by its name, and gets requests with AWS's credentials all the same. */
    trustEndpoint: z.literal(true).optional(),
    credentials: z
      .strictObject({
        /**
         * Of the shared AWS files, in place of the chain: keys, SSO, a command, a role to assume.
         * https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
         */
        profile: z.string().regex(/^[\w.@:+/-]{1,128}$/, 'the name of a profile'),
      })
      .optional(),
    ...requestLimits,
  })
  .superRefine(assertTrust)
  .superRefine(assertRegion)

export type AwsKmsConfig = z.infer<typeof awsKmsConfig>

type Places = {
  readonly endpoint?: string | undefined
  readonly trustEndpoint?: true | undefined
}

/** Whoever has a certificate for some name must not get credentials by a slip of the pen. */
function assertTrust({ endpoint, trustEndpoint }: Places, context: z.RefinementCtx): void {
  const isOther = endpoint !== undefined && isOfOthers(endpoint)
  if (isOther === (trustEndpoint ?? false)) return
  const [path, message] = isOther
    ? [
        'endpoint',
        'not an address of KMS, and it would see AWS’s credentials: if it may, say trustEndpoint: true',
      ]
    : ['trustEndpoint', 'there is nobody to trust but AWS, or an emulator: remove it']
  context.addIssue({ code: 'custom', path: [path], message })
}

/** KMS would refuse each request, since it is signed for the region: it is said before the first one. */
function assertRegion(
  { region, endpoint }: Places & { readonly region: string },
  context: z.RefinementCtx,
): void {
  const verdict = configuredDestination(endpoint ?? '')
  const own = 'refused' in verdict ? undefined : regionOfKmsHost(verdict.url.hostname)
  if (own === undefined || own === region) return
  const message = `an endpoint of KMS in ${own}, and region is ${region}: correct one of them`
  context.addIssue({ code: 'custom', path: ['endpoint'], message })
}

/** An endpoint on this host: it answers for every service of AWS's, and counts nothing. */
export function emulatorAt(endpoint: string | undefined): URL | undefined {
  if (endpoint === undefined) return undefined
  const verdict = configuredDestination(endpoint)
  return 'kinds' in verdict && verdict.kinds.includes('loopback') ? verdict.url : undefined
}

/** Neither AWS's nor on this host; what is no endpoint at all has its complaint already. */
function isOfOthers(endpoint: string): boolean {
  const verdict = configuredDestination(endpoint)
  if ('refused' in verdict || pathComplaint(verdict.url) !== undefined) return false
  return !verdict.kinds.includes('loopback') && !isKmsHost(verdict.url.hostname)
}

function assertEndpoint(text: string, context: z.RefinementCtx): void {
  const verdict = configuredDestination(text)
  const message = 'refused' in verdict ? verdict.refused : pathComplaint(verdict.url)
  if (message !== undefined) context.addIssue({ code: 'custom', message })
}

function pathComplaint({ pathname, search }: URL): string | undefined {
  return pathname === '/' && search === '' ? undefined : 'scheme, host and port only'
}

/**
 * With `MessageType` `DIGEST`: every algorithm that signs a hash. A MAC has no such thing, and Ed25519's
 * is another algorithm. https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
 */
export function awsSignsDigests(algorithm: Algorithm): boolean {
  return signsHash(algorithm)
}

/**
 * The ends of the names of AWS's services, by partition, as the SDK itself has them:
 * https://github.com/aws/aws-sdk-js-v3/blob/main/packages-internal/core/src/submodules/client/util-endpoints/lib/aws/partitions.ts
 */
const suffixes: readonly string[] = [
  'amazonaws.com',
  'amazonaws.com.cn',
  'amazonaws.eu',
  'api.amazonwebservices.com.cn',
  'api.amazonwebservices.eu',
  'api.aws',
  'api.aws.hci.ic.gov',
  'api.aws.ic.gov',
  'api.aws.scloud',
  'api.cloud-aws.adc-e.uk',
  'c2s.ic.gov',
  'cloud.adc-e.uk',
  'csp.hci.ic.gov',
  'sc2s.sgov.gov',
]

/**
 * What stands before region and suffix. Below the same suffixes customers have names of their own, for
 * buckets, machines and gateways: a suffix alone proves nothing.
 * https://docs.aws.amazon.com/general/latest/gr/kms.html
 * https://docs.aws.amazon.com/general/latest/gr/sts.html
 * https://docs.aws.amazon.com/general/latest/gr/sso.html
 */
const services = {
  kms: ['kms', 'kms-fips'],
  credentials: [
    'sts',
    'sts-fips',
    'portal.sso',
    'portal.sso-fips',
    'oidc',
    'oidc-fips',
    'signin',
    'signin-fips',
  ],
} as const

/** https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html */
const endpointOfVpc = String.raw`(?:vpce-[a-z\d-]+\.)`

const alternatives = (texts: readonly string[]) =>
  `(?:${texts.map((text) => text.replaceAll('.', String.raw`\.`)).join('|')})`

const hosts = {
  kms: hostsOf(services.kms),
  credentials: hostsOf(services.credentials),
} as const

/** For `aws login`, and STS as it was before it had regions. */
const others: readonly RegExp[] = [
  /^sts\.amazonaws\.com$/,
  new RegExp(String.raw`^${regionForm}\.(?:oauth\.)?signin\.aws(?:\.amazon\.com)?$`),
]

function hostsOf(names: readonly string[]): readonly RegExp[] {
  const service = alternatives(names)
  return [
    new RegExp(String.raw`^${service}\.(?<region>${regionForm})\.${alternatives(suffixes)}$`),
    new RegExp(
      String.raw`^${endpointOfVpc}${service}\.(?<region>${regionForm})\.vpce\.amazonaws\.com(?:\.cn)?$`,
    ),
  ]
}

/** Whether KMS itself, and nobody else, can have this name. */
export function isKmsHost(hostname: string): boolean {
  return hosts.kms.some((host) => host.test(hostname))
}

/** Of a name that only KMS itself can have. */
function regionOfKmsHost(hostname: string): string | undefined {
  const found = hosts.kms.map((host) => host.exec(hostname)).find((one) => one !== null)
  return found?.groups?.['region']
}

/** As `isKmsHost`, of the services that credentials are fetched from. */
export function isCredentialsHost(hostname: string): boolean {
  return [...hosts.credentials, ...others].some((host) => host.test(hostname))
}
