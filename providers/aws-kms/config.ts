import { z } from 'zod'
import { configuredDestination } from '../../src/lib/destination.ts'
import { requestLimits } from '../../src/lib/request-limits.ts'
import { type Algorithm, signsHash } from '../../src/signing/algorithms.ts'

/**
 * AWS Key Management Service, one region of one account. Credentials are found by the SDK's own chain:
 * https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/setting-credentials-node.html
 */
export const awsKmsConfig = z.strictObject({
  provider: z.literal('aws-kms'),
  /** https://docs.aws.amazon.com/general/latest/gr/kms.html */
  region: z
    .string()
    .regex(/^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/, 'a region of AWS, like eu-central-1'),
  /** An emulator, a private endpoint or a FIPS endpoint in place of the region's own. */
  endpoint: z.string().max(2_048).superRefine(assertEndpoint).optional(),
  ...requestLimits,
})

export type AwsKmsConfig = z.infer<typeof awsKmsConfig>

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
