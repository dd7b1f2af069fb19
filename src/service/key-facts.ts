import { ServiceError } from '../errors.ts'
import type { Key } from '../keys/key.ts'
import { changedFacts, factsOf, listKeyFacts } from '../store/keys.ts'
import type { Store } from '../store/store.ts'

/**
 * A key that has versions keeps its algorithm, vault, purpose and profile for ever.
 *
 * @throws {ServiceError} `config_invalid` with everything the configuration says differently.
 */
export async function assertKeyFacts(
  { connection }: Store,
  keys: ReadonlyMap<string, Key>,
): Promise<void> {
  const stored = await listKeyFacts(connection)
  const issues = stored.flatMap((facts) => {
    const key = keys.get(facts.name)
    const changed = key ? changedFacts(facts, factsOf(key)) : []
    return changed.map((words) => ({
      path: `keys.${facts.name}`,
      message: `${words}: restore it, or configure a key with another name`,
    }))
  })
  if (issues.length === 0) return
  throw new ServiceError('config_invalid', 'The configuration changes keys that exist', {
    details: { issues },
  })
}
