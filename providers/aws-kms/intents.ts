import { ServiceError, toServiceError } from '../../src/errors.ts'
import { pause } from '../../src/lib/deadline.ts'
import type { KmsClient } from './client.ts'
import type { Consistency } from './consistency.ts'

/** On every key that was made here: the intent that asked for it. */
export const intentTag = 'chancery:intent'

/** 100 keys a page: as many as an account may have in a region before it asks for more. */
const pagesMax = 1_000

/** Looks at tags at once; https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html */
const keysAtOnce = 10

/**
 * As `findByIntent`, and once more when a key that was made a moment ago would have appeared.
 *
 * @throws {ServiceError} as `findByIntent`.
 */
export async function findSettled(
  client: KmsClient,
  intentId: string,
  { settleMs }: Consistency,
  signal: AbortSignal,
): Promise<string | undefined> {
  const found = await findByIntent(client, intentId, signal)
  if (found !== undefined) return found
  await pause(settleMs, signal)
  return findByIntent(client, intentId, signal)
}

/**
 * The key that was made for an intent, if any: looks at the tags of every key there is, since KMS cannot
 * be asked for them. Needs `kms:ListKeys` and `kms:ListResourceTags`, and nothing else does.
 *
 * @throws {ServiceError} `vault_denied` when no tag of any key may be read: "not found" would be a guess.
 */
async function findByIntent(
  client: KmsClient,
  intentId: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const looked: Looked = { readable: 0, denial: undefined }
  let marker: string | undefined
  for (let page = 0; page < pagesMax; page += 1) {
    const { Keys = [], Truncated, NextMarker } = await client.listKeys(marker, signal)
    const keyArns = Keys.flatMap(({ KeyArn }) => KeyArn ?? [])
    for (let at = 0; at < keyArns.length; at += keysAtOnce) {
      const some = keyArns.slice(at, at + keysAtOnce)
      const tagged = some.map((keyArn) => hasIntent(client, keyArn, intentId, looked, signal))
      const found = (await Promise.all(tagged)).indexOf(true)
      if (found >= 0) return some[found]
    }
    if (!Truncated || NextMarker === undefined) return nothingFound(looked)
    marker = NextMarker
  }
  throw new ServiceError('vault_unavailable', 'The vault has more keys than can be looked through')
}

type Looked = { readable: number; denial: ServiceError | undefined }

function nothingFound({ readable, denial }: Looked): undefined {
  if (readable === 0 && denial) throw denial
  return undefined
}

/** Other people's keys may forbid the look, and a key may be gone by now: both are not ours. */
async function hasIntent(
  client: KmsClient,
  keyArn: string,
  intentId: string,
  looked: Looked,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const { Tags = [] } = await client.listResourceTags(keyArn, signal)
    looked.readable += 1
    return Tags.some(({ TagKey, TagValue }) => TagKey === intentTag && TagValue === intentId)
  } catch (thrown) {
    const error = toServiceError(thrown)
    if (error.code === 'vault_denied') looked.denial = error
    else if (error.code !== 'vault_key_unusable') throw thrown
    return false
  }
}
