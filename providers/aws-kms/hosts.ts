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

const region = String.raw`[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}`
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
  new RegExp(String.raw`^${region}\.(?:oauth\.)?signin\.aws(?:\.amazon\.com)?$`),
]

function hostsOf(names: readonly string[]): readonly RegExp[] {
  const service = alternatives(names)
  return [
    new RegExp(String.raw`^${service}\.${region}\.${alternatives(suffixes)}$`),
    new RegExp(String.raw`^${endpointOfVpc}${service}\.${region}\.vpce\.amazonaws\.com(?:\.cn)?$`),
  ]
}

/** Whether KMS itself, and nobody else, can have this name. */
export function isKmsHost(hostname: string): boolean {
  return hosts.kms.some((host) => host.test(hostname))
}

/** As `isKmsHost`, of the services that credentials are fetched from. */
export function isCredentialsHost(hostname: string): boolean {
  return [...hosts.credentials, ...others].some((host) => host.test(hostname))
}
