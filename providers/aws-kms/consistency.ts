import { toServiceError } from '../../src/errors.ts'
import { pause } from '../../src/lib/deadline.ts'
import type { Algorithm } from '../../src/signing/algorithms.ts'
import type { KmsClient } from './client.ts'
import { inspect } from './inspector.ts'

/**
 * KMS is eventually consistent: what was made is seen everywhere after seconds, seldom minutes.
 * https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency
 */
export type Consistency = {
  /** Between two looks at a new key. */
  readonly lookEveryMs: number
  readonly looksMax: number
  /** Before a key that is not found is taken for one that was never made. */
  readonly settleMs: number
  /** Ends early with the signal's reason. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
}

export const usual: Consistency = { lookEveryMs: 500, looksMax: 20, settleMs: 5_000, wait: pause }

/**
 * Until the vault itself sees what was made, and that it can sign. The key stays: a later run finds it
 * by its tag.
 *
 * @throws {ServiceError} `vault_*`, `vault_key_unusable` when it does not appear in time.
 */
export async function visible(
  client: KmsClient,
  keyArn: string,
  row: Algorithm,
  consistency: Consistency,
  signal: AbortSignal,
): Promise<void> {
  await seen(consistency, signal, async () => {
    await inspect(client, keyArn, row, signal)
    if (row.kty !== 'oct') await client.getPublicKey(keyArn, signal)
  })
}

/** Looks again for as long as a key that was just made may not be there yet. */
export async function seen<T>(
  { lookEveryMs, looksMax, wait }: Consistency,
  signal: AbortSignal,
  look: () => Promise<T>,
): Promise<T> {
  for (let looks = 1; ; looks += 1) {
    try {
      return await look()
    } catch (error) {
      const isYoung = toServiceError(error).code === 'vault_key_unusable'
      if (!isYoung || looks === looksMax) throw error
    }
    await wait(lookEveryMs, signal)
  }
}
