import { z } from 'zod'
import { configuredDestination } from '../../src/lib/destination.ts'
import { requestLimits } from '../../src/lib/request-limits.ts'
import { type Algorithm, signsHash } from '../../src/signing/algorithms.ts'
import { isKmsHost } from './hosts.ts'

/**
 * AWS Key Management Service, one region of one account. Credentials are found by the SDK's own chain:
 * https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/setting-credentials-node.html
 */
export const awsKmsConfig = z
  .strictObject({
    provider: z.literal('aws-kms'),
    /** https://docs.aws.amazon.com/general/latest/gr/kms.html */
    region: z
      .string()
      .regex(/^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/, 'a region of AWS, like eu-central-1'),
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
