import { hash } from 'node:crypto'
import { hasEnded, isVisible } from '../keys/lifecycle.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import type { RegisteredKey, Registry } from '../registry/registry.ts'

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
      /** `key@n` of versions under whose id the registry has another key. */
      readonly differing: readonly string[]
      /** Key ids that are none of ours; never removed by us. */
      readonly unknownKids: readonly string[]
      /** When the registry saw them used, where it tells: `key@n`, or the id of one that is none of ours. */
      readonly used: readonly { readonly name: string; readonly lastUsedAt: number }[]
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
  const registered = await registry.list(signal)
  const kids = new Set(registered.map(({ kid }) => kid))
  const own = versions.filter((version) => version.key === key)
  const ours = new Map(versions.map((version) => [version.kid, version]))
  return {
    verdict: 'known',
    missing: own.filter(({ state, kid }) => isVisible(state) && !kids.has(kid)).map(nameOf),
    ended: own.filter(({ state, kid }) => hasEnded(state) && kids.has(kid)).map(nameOf),
    differing: own.filter((version) => differs(version, registered)).map(nameOf),
    unknownKids: [...kids].filter((kid) => !ours.has(kid)),
    used: registered.flatMap(({ kid, lastUsedAt }) => {
      const version = ours.get(kid)
      return lastUsedAt === undefined ? [] : [{ name: version ? nameOf(version) : kid, lastUsedAt }]
    }),
  }
}

/** A registry names a key as it was told to: what counts is which key it is. */
function differs({ kid, spki }: KeyVersion, registered: readonly RegisteredKey[]): boolean {
  const shown = registered.find((key) => key.kid === kid)?.fingerprint
  return shown !== undefined && (!spki || shown !== hash('sha256', spki, 'base64url'))
}

function nameOf({ key, n }: KeyVersion): string {
  return versionName(key, n)
}
