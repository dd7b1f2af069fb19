import { ServiceError } from '../../src/errors.ts'
import type { GoOn } from '../../src/signing/signer.ts'
import type { AzureClient } from './client.ts'
import { isMissing } from './errors.ts'

/** On every version that was generated or imported: the intent that asked for it. */
export const intentTag = 'chancery:intent'

/** 25 versions a page. */
const pagesMax = 1_000

/**
 * The versions of one key that bear an intent, the eldest first: a rotation policy of the vault's own may
 * have copied the tag to later ones. The name is ours, so that other keys are not looked at, however many
 * there are. Needs `keys/read`.
 *
 * @param goOn awaited before each page.
 */
export async function findByIntent(
  client: AzureClient,
  { intentId, nameOfKey }: { readonly intentId: string; readonly nameOfKey: string },
  signal: AbortSignal,
  goOn: GoOn,
): Promise<readonly string[]> {
  const found: Properties[] = []
  try {
    let pages = 0
    await goOn()
    for await (const page of client.versionPages(nameOfKey, signal)) {
      pages += 1
      if (pages > pagesMax) throw tooMany()
      found.push(...page.filter(({ tags }) => tags?.[intentTag] === intentId))
      await goOn()
    }
  } catch (error) {
    // Nothing has been made under this name.
    if (!isMissing(error)) throw error
  }
  const at = ({ createdOn }: Properties) => createdOn?.getTime() ?? 0
  return found.toSorted((one, other) => at(one) - at(other)).flatMap(({ id }) => id ?? [])
}

type Properties = {
  readonly id?: string
  readonly createdOn?: Date
  readonly tags?: Readonly<Record<string, string>>
}

function tooMany(): ServiceError {
  return new ServiceError(
    'vault_unavailable',
    'The key has more versions than can be looked through',
  )
}
