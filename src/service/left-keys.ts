import { hasEnded } from '../keys/lifecycle.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import type { KeyFacts } from '../store/keys.ts'
import type { HumanTask } from './tasks.ts'

/** What is still to be done outside about a version that has ended. */
export type Left = { readonly isListed: boolean; readonly isEnabled: boolean }

/** @param registry of its key, as the store has it; undefined where nobody has to know it. */
export function leftOf(version: KeyVersion, registry: string | undefined): Left {
  const { spki, withdrawnAt, disabledAt, source, state } = version
  return {
    isListed: registry !== undefined && spki !== undefined && withdrawnAt === undefined,
    // Of a provisioned one that was not revoked, Terraform takes away what it gave.
    isEnabled: disabledAt === undefined && (source !== 'provisioned' || state === 'revoked'),
  }
}

/**
 * What has ended of keys that the configuration no longer has: no command withdraws or disables it any more,
 * so that only a human can; pure.
 *
 * @param stored of every key that has versions.
 */
export function tasksOfLeftKeys(
  versions: readonly KeyVersion[],
  stored: readonly KeyFacts[],
  configured: ReadonlyMap<string, unknown>,
): readonly HumanTask[] {
  const registries = new Map(stored.map(({ name, registry }) => [name, registry]))
  return versions
    .filter(({ key, state }) => hasEnded(state) && !configured.has(key))
    .flatMap((version) => taskOf(version, registries.get(version.key)) ?? [])
}

function taskOf(version: KeyVersion, registry: string | undefined): HumanTask | undefined {
  const { key, n, kid, resource, vault } = version
  const { isListed, isEnabled } = leftOf(version, registry)
  if (!isListed && !isEnabled) return undefined
  const name = versionName(key, n)
  const steps = [
    ...(isListed ? [`Delete the key with the id ${kid} from its registry, ${registry}`] : []),
    ...(isEnabled ? [`Disable ${resource} in the vault ${vault}`] : []),
    `chancery confirm ${name} --deleted`,
    `Or put ${key} back into the configuration, and run: chancery rotate`,
  ]
  const why = `it is ${version.state}, and the configuration no longer has its key: nothing else puts it away`
  return {
    key,
    version: name,
    kind: 'delete',
    why,
    steps,
    url: undefined,
    shows: undefined,
  }
}
