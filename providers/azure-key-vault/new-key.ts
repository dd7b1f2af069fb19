import { ServiceError, toServiceError } from '../../src/errors.ts'
import { pause } from '../../src/lib/deadline.ts'
import type { Algorithm } from '../../src/signing/algorithms.ts'
import type { AzureClient, AzureSurroundings } from './client.ts'
import type { AzureKeyVaultConfig } from './config.ts'
import { inspect, readResource } from './inspector.ts'

/**
 * How long a new version may take to be seen everywhere: the vault answers from several machines.
 * https://learn.microsoft.com/azure/key-vault/general/disaster-recovery-guidance
 */
export type Consistency = {
  /** Between two looks at a new version. */
  readonly lookEveryMs: number
  readonly looksMax: number
  /** Before a version that is not found is taken for one that was never made. */
  readonly settleMs: number
}

export const usualConsistency: Consistency = { lookEveryMs: 500, looksMax: 20, settleMs: 5_000 }

/** `key@n`: the vault counts the versions of a key in its own way. */
export function nameOfKey(version: string): string {
  return version.replace(/@\d+$/, '')
}

type Made = {
  readonly client: AzureClient
  readonly config: AzureKeyVaultConfig
  readonly surroundings: AzureSurroundings
  readonly consistency: Consistency
}

/** Until the vault itself sees what it made. The version stays: a later run finds it by its tag. */
export async function seen(
  { client, config, surroundings, consistency }: Made,
  id: string | undefined,
  row: Algorithm,
  signal: AbortSignal,
): Promise<string> {
  if (id === undefined) {
    throw new ServiceError('vault_unavailable', 'The vault does not say which key it made')
  }
  const resource = readResource(id, config.vaultUrl)
  const { lookEveryMs, looksMax } = consistency
  for (let look = 1; ; look += 1) {
    try {
      const inspected = await inspect(client, resource, row, surroundings.clock.now(), signal)
      return inspected.id
    } catch (error) {
      const isYoung = toServiceError(error).code === 'vault_key_unusable'
      if (!isYoung || look === looksMax) throw error
    }
    await pause(lookEveryMs, signal)
  }
}
