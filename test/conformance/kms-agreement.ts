import type { AgreementRow } from './kms-agreement/asked.ts'
import { imports } from './kms-agreement/imports.ts'
import { keys, states } from './kms-agreement/keys.ts'
import { refusedSignatures, signatures } from './kms-agreement/signatures.ts'

/**
 * What our fake is held to, and what LocalStack is believed in: they agree but where a row says otherwise.
 * There the fake does what AWS does, and what LocalStack does is written down, to be seen when it changes.
 */
export const kmsAgreement: readonly AgreementRow[] = [
  ...signatures,
  ...refusedSignatures,
  ...keys,
  ...states,
  ...imports,
]
