import { type KeyVersion, versionName } from '../keys/version.ts'
import type { Logger } from '../lib/log.ts'
import type { Inspection } from './opened-versions.ts'
import type { SigningKeys } from './signing-keys.ts'

export type ReinspectionResult = Inspection['verdict']

export type ReinspectionDeps = {
  readonly keys: Pick<SigningKeys, 'openVersions' | 'inspect' | 'close'>
  /** Durably, for every process on the store; false when it was so already. */
  readonly suspend: (name: string, reason: string) => Promise<boolean>
  readonly observe: (vault: string, result: ReinspectionResult) => void
  readonly log: Logger
}

/**
 * Looks at a version that must all show a change, before it is one: vaults are eventually consistent, answer
 * from many machines, and at times say of a key that they do not know it.
 * https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency
 */
const looksMin = 3

/** Between two of them at least. */
export const lookAgainEveryMs = 5_000

/** A version that has changed at each look so far. */
type Suspect = {
  readonly version: KeyVersion
  readonly looks: number
  /** A whole time between two looks has begun since the last. */
  readonly isDue: boolean
}

export interface Reinspection {
  /** One round over all that is open. Never rejects. */
  readonly round: () => Promise<void>
  /** Every `lookAgainEveryMs`: looks again at what has changed. Never rejects. */
  readonly lookAgain: () => Promise<void>
}

/**
 * Looks again at every version that is open (DESIGN §5): what its vault said of it when it was opened may
 * have changed since. A change that lasts suspends the version; a human looks, and resumes it or revokes it.
 * A vault that cannot be asked is no change. One vault that is slow holds up no other.
 */
export function reinspection(deps: ReinspectionDeps): Reinspection {
  const { keys, observe, log } = deps
  /** Suspended here, and not yet in the store. */
  const unsaved = new Map<string, string>()
  const suspects = new Map<string, Suspect>()

  const save = async (name: string, reason: string): Promise<void> => {
    unsaved.set(name, reason)
    try {
      await deps.suspend(name, reason)
      unsaved.delete(name)
    } catch (error) {
      log.error('a suspension was not stored', error, { version: name })
    }
  }

  const inspect = async (version: KeyVersion, looks: number): Promise<void> => {
    const found = await keys.inspect(version)
    const name = nameOf(version)
    suspects.delete(name)
    if (found.verdict === 'changed' && looks < looksMin) {
      suspects.set(name, { version, looks, isDue: false })
      log.warn('version looks changed in its vault', { version: name, look: looks })
      return
    }
    observe(version.vault, found.verdict)
    switch (found.verdict) {
      case 'unchanged':
        return
      case 'unknown':
        return log.warn('version not inspected', { version: name, code: found.error.code })
      case 'denied':
        return log.error('version not inspected: its vault denies it', found.error, {
          version: name,
        })
      case 'changed':
        keys.close(version, found.error)
        log.error('version suspended: it has changed in its vault', found.error, { version: name })
        await save(name, found.error.message)
    }
  }

  return {
    async round() {
      for (const [name, reason] of unsaved) await save(name, reason)
      const fresh = keys.openVersions.filter((version) => !suspects.has(nameOf(version)))
      await eachByVault(fresh, (version) => inspect(version, 1))
    },

    async lookAgain() {
      forgetEnded(suspects, keys.openVersions)
      const due = [...suspects.values()].filter(({ isDue }) => isDue)
      for (const [name, suspect] of suspects) suspects.set(name, { ...suspect, isDue: true })
      const looks = new Map(due.map((suspect) => [suspect.version, suspect.looks]))
      await eachByVault([...looks.keys()], (version) =>
        inspect(version, (looks.get(version) ?? 0) + 1),
      )
    },
  }
}

/** Of what has ended meanwhile, a change is no surprise: a revocation disables its version in the vault. */
function forgetEnded(suspects: Map<string, Suspect>, open: readonly KeyVersion[]): void {
  const names = new Set(open.map(nameOf))
  for (const name of suspects.keys()) if (!names.has(name)) suspects.delete(name)
}

/** One after the other in a vault, and the vaults side by side. */
async function eachByVault(
  versions: readonly KeyVersion[],
  inspect: (version: KeyVersion) => Promise<void>,
): Promise<void> {
  const byVault = Map.groupBy(versions, ({ vault }) => vault)
  const rounds = [...byVault.values()].map(async (own) => {
    for (const version of own) await inspect(version)
  })
  await Promise.all(rounds)
}

function nameOf({ key, n }: KeyVersion): string {
  return versionName(key, n)
}
