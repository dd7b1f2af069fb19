import { z } from 'zod'
import { localLimits } from '../../src/lib/request-limits.ts'
import type { Algorithm } from '../../src/signing/algorithms.ts'

/** The embedded default. Paths are made absolute by whoever reads the configuration. */
export const localConfig = z.strictObject({
  provider: z.literal('local'),
  /** One sealed file per version. 0700, or refused. */
  directory: z.string().min(1),
  /** 32 random bytes that wrap the data keys. 0600, or refused. */
  masterKeyFile: z.string().min(1),
  /** Of these, `concurrency` is of slow signatures in the thread pool. */
  ...localLimits,
})

export type LocalConfig = z.infer<typeof localConfig>

type Pkcs1Algorithm = Extract<Algorithm, { padding: 'pkcs1' }>

/** `node:crypto` hashes what it signs: only PKCS#1 can be put together without that. */
export function localSignsDigests(algorithm: Algorithm): algorithm is Pkcs1Algorithm {
  return algorithm.kty === 'RSA' && algorithm.padding === 'pkcs1'
}
