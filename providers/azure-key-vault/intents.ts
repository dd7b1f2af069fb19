import { ServiceError } from '../../src/errors.ts'
import type { AzureClient } from './client.ts'
import { isMissing } from './errors.ts'

/** On every version that was generated or imported: the intent that asked for it. */
export const intentTag = 'chancery:intent'

/** 25 keys or versions a page. */
const pagesMax = 1_000

/**
 * The version that was made for an intent, if any: its tag is looked for on the versions of every key, since
 * the vault cannot be asked for it. Keys whose present version has it come first. Needs `keys/read` on the
 * vault, and nothing else does.
 */
export async function findByIntent(
  client: AzureClient,
  intentId: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const name of await namesOfKeys(client, intentId, signal)) {
    const found = await versionWithIntent(client, name, intentId, signal)
    if (found !== undefined) return found
  }
  return undefined
}

type Properties = {
  readonly name: string
  readonly id?: string
  readonly createdOn?: Date
  readonly tags?: Readonly<Record<string, string>>
}

async function namesOfKeys(
  client: AzureClient,
  intentId: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const likely: string[] = []
  const others: string[] = []
  for await (const { name, tags } of each(client.keyPages(signal))) {
    const isLikely = tags?.[intentTag] === intentId
    if (isLikely) likely.push(name)
    else others.push(name)
  }
  return [...likely, ...others]
}

/** The eldest: a rotation policy of the vault's own may have copied the tags to a later one. */
async function versionWithIntent(
  client: AzureClient,
  name: string,
  intentId: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  let eldest: Properties | undefined
  try {
    for await (const version of each(client.versionPages(name, signal))) {
      if (version.tags?.[intentTag] === intentId && isElder(version, eldest)) eldest = version
    }
  } catch (error) {
    // Deleted while we looked at the others: not ours.
    if (!isMissing(error)) throw error
  }
  return eldest?.id
}

function isElder({ createdOn }: Properties, than: Properties | undefined): boolean {
  return !than || (createdOn?.getTime() ?? 0) < (than.createdOn?.getTime() ?? 0)
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
