import { isVisible } from '../keys/lifecycle.ts'
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
      /** Key ids that are none of ours; never removed by us. */
      readonly unknownKids: readonly string[]
    }

/** @param versions of one key, whatever their state. @throws {ServiceError} `registry_*`. */
export async function driftOf(
  registry: Registry | undefined,
  versions: readonly KeyVersion[],
  signal: AbortSignal,
): Promise<Drift> {
  if (!registry?.list) return { verdict: 'unknown' }
  const kids = new Set((await registry.list(signal)).map(({ kid }) => kid))
  const missing = versions
    .filter(({ state, kid }) => isVisible(state) && !kids.has(kid))
    .map(({ key, n }) => versionName(key, n))
  const ours = new Set(versions.map(({ kid }) => kid))
  return { verdict: 'known', missing, unknownKids: [...kids].filter((kid) => !ours.has(kid)) }
}
