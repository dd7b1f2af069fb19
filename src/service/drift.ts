import { isVisible, type VersionState } from '../keys/lifecycle.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import type { Registry } from '../registry/registry.ts'

/** How what a registry has differs from what the store says it was told. */
export type Drift =
  /** No registry, or one that cannot be asked: drift is then not known, which is not none. */
  | { readonly verdict: 'unknown' }
  | {
      readonly verdict: 'known'
      /** `key@n` of versions that verifiers should see, and cannot. */
      readonly missing: readonly string[]
      /** `key@n` of versions that have ended, and that verifiers still trust. */
      readonly ended: readonly string[]
      /** Key ids that are none of ours; never removed by us. */
      readonly unknownKids: readonly string[]
    }

/**
 * @param versions of the store, whatever their key and state: an app may be that of several keys.
 * @throws {ServiceError} `registry_*`.
 */
export async function driftOf(
  registry: Registry | undefined,
  key: string,
  versions: readonly KeyVersion[],
  signal: AbortSignal,
): Promise<Drift> {
  if (!registry?.list) return { verdict: 'unknown' }
  const kids = new Set((await registry.list(signal)).map(({ kid }) => kid))
  const own = versions.filter((version) => version.key === key)
  const ours = new Set(versions.map(({ kid }) => kid))
  return {
    verdict: 'known',
    missing: own.filter(({ state, kid }) => isVisible(state) && !kids.has(kid)).map(nameOf),
    ended: own.filter(({ state, kid }) => hasEnded(state) && kids.has(kid)).map(nameOf),
    unknownKids: [...kids].filter((kid) => !ours.has(kid)),
  }
}

function hasEnded(state: VersionState): boolean {
  return state === 'retired' || state === 'destroyed' || state === 'revoked'
}

function nameOf({ key, n }: KeyVersion): string {
  return versionName(key, n)
}
