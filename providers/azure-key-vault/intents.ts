import { ServiceError } from '../../src/errors.ts'
import type { AzureClient } from './client.ts'
import { isMissing } from './errors.ts'

/** On every version that was generated or imported: the intent that asked for it. */
export const intentTag = 'chancery:intent'

/** 25 keys or versions a page. */
const pagesMax = 1_000

/**
 * The versions that bear an intent, the eldest first: a rotation policy of the vault's own may have copied
 * the tag to later ones. It is looked for on the versions of every key, since the vault cannot be asked for
 * it. Needs `keys/read` on the vault, and nothing else does.
 */
export async function findByIntent(
  client: AzureClient,
  intentId: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found: Properties[] = []
  for await (const { name } of each(client.keyPages(signal))) {
    found.push(...(await versionsWithIntent(client, name, intentId, signal)))
  }
  const at = ({ createdOn }: Properties) => createdOn?.getTime() ?? 0
  return found.toSorted((one, other) => at(one) - at(other)).flatMap(({ id }) => id ?? [])
}

type Properties = {
  readonly name: string
  readonly id?: string
  readonly createdOn?: Date
  readonly tags?: Readonly<Record<string, string>>
}

async function versionsWithIntent(
  client: AzureClient,
  name: string,
  intentId: string,
  signal: AbortSignal,
): Promise<readonly Properties[]> {
  const found: Properties[] = []
  try {
    for await (const version of each(client.versionPages(name, signal))) {
      if (version.tags?.[intentTag] === intentId) found.push(version)
    }
  } catch (error) {
    // Deleted while we looked at the others: not ours.
    if (!isMissing(error)) throw error
  }
  return found
}

async function* each(pages: AsyncIterable<readonly Properties[]>): AsyncGenerator<Properties> {
  let count = 0
  for await (const page of pages) {
    count += 1
    if (count > pagesMax) {
      const words = 'The vault has more keys than can be looked through'
      throw new ServiceError('vault_unavailable', words)
    }
    yield* page
  }
}
