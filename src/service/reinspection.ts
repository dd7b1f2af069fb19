import { type KeyVersion, versionName } from '../keys/version.ts'
import type { Logger } from '../lib/log.ts'
import type { Inspection } from './opened-versions.ts'
import type { SigningKeys } from './signing-keys.ts'

export type ReinspectionResult = Inspection['verdict']

export type ReinspectionDeps = {
  readonly keys: Pick<SigningKeys, 'openVersions' | 'inspect'>
  /** Durably, for every process on the store; false when it was so already. */
  readonly suspend: (name: string, reason: string) => Promise<boolean>
  readonly observe: (vault: string, result: ReinspectionResult) => void
  readonly log: Logger
}

/**
 * Looks again at every version that is open (DESIGN §5): what its vault said of it when it was opened may
 * have changed since. A change suspends the version; a human looks, and resumes it or revokes it. A vault
 * that cannot be asked is no change.
 *
 * @returns one round; it never rejects. One vault that is slow holds up no other.
 */
export function reinspection(deps: ReinspectionDeps): () => Promise<void> {
  /** Suspended here, and not yet in the store. */
  const unsaved = new Map<string, string>()

  const save = async (name: string, reason: string): Promise<void> => {
    unsaved.set(name, reason)
    try {
      await deps.suspend(name, reason)
      unsaved.delete(name)
    } catch (error) {
      deps.log.error('a suspension was not stored', error, { version: name })
    }
  }

  const inspect = async (version: KeyVersion): Promise<void> => {
    const found = await deps.keys.inspect(version)
    deps.observe(version.vault, found.verdict)
    const name = versionName(version.key, version.n)
    if (found.verdict === 'unknown') {
      deps.log.warn('version not inspected', { version: name, code: found.error.code })
    }
    if (found.verdict !== 'changed') return
    deps.log.error('version suspended: it has changed in its vault', found.error, { version: name })
    await save(name, found.error.message)
  }

  return async () => {
    for (const [name, reason] of unsaved) await save(name, reason)
    const byVault = Map.groupBy(deps.keys.openVersions, ({ vault }) => vault)
    const rounds = [...byVault.values()].map(async (versions) => {
      for (const version of versions) await inspect(version)
    })
    await Promise.all(rounds)
  }
}
