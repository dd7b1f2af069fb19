import { ServiceError, toServiceError } from '../../src/errors.ts'
import type { GoOn } from '../../src/signing/signer.ts'
import type { KmsClient } from './client.ts'
import { noAnswer } from './errors.ts'

/** On every key that was made here: the intent that asked for it. */
export const intentTag = 'chancery:intent'

/** 100 keys a page: as many as an account may have in a region before it asks for more. */
const pagesMax = 1_000

/** Looks at tags at once; https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html */
const keysAtOnce = 10

/**
 * 50 tags a page: as many as a key may have, AWS's own not counted. Asked for in less than the lease of
 * whoever waits.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ListResourceTags.html
 */
const tagPagesMax = 4

/**
 * The keys that bear an intent, the eldest first: looks at the tags of every key there is, since KMS cannot
 * be asked for them. Needs `kms:ListKeys` and `kms:ListResourceTags`, and nothing else does.
 *
 * @param goOn awaited before each page, and before each ten keys of it.
 * @throws {ServiceError} `vault_denied` when no tag of any key may be read: "not found" would be a guess.
 */
export async function findByIntent(
  client: KmsClient,
  intentId: string,
  signal: AbortSignal,
  goOn: GoOn,
): Promise<readonly string[]> {
  const looked: Looked = { readable: 0, denial: undefined }
  const found: string[] = []
  let marker: string | undefined
  for (let page = 0; page < pagesMax; page += 1) {
    await goOn()
    const { keyArns, next } = pageOf(await client.listKeys(marker, signal))
    for (let at = 0; at < keyArns.length; at += keysAtOnce) {
      await goOn()
      const some = keyArns.slice(at, at + keysAtOnce)
      const tagged = some.map((keyArn) => hasIntent(client, keyArn, intentId, looked, signal))
      const areOurs = await Promise.all(tagged)
      found.push(...some.filter((_, i) => areOurs[i]))
    }
    if (next === undefined) {
      if (found.length === 0) assertLooked(looked)
      return found.length > 1 ? eldestFirst(client, found, signal) : found
    }
    marker = next
  }
  throw new ServiceError('vault_unavailable', 'The vault has more keys than can be looked through')
}

type Page = {
  readonly keyArns: readonly string[]
  /** Undefined for the last one. */
  readonly next: string | undefined
}

/** What is missing in an answer must not be taken for a key that was never made. */
function pageOf({ Keys, ...rest }: ListKeysAnswer): Page {
  if (!Keys) throw noAnswer('Keys')
  const keyArns = Keys.map(({ KeyArn }) => {
    if (KeyArn === undefined) throw noAnswer('KeyArn')
    return KeyArn
  })
  return { keyArns, next: nextOf(rest) }
}

function nextOf({ Truncated, NextMarker }: Pick<ListKeysAnswer, 'Truncated' | 'NextMarker'>) {
  if (Truncated && NextMarker === undefined) throw noAnswer('NextMarker')
  return Truncated ? NextMarker : undefined
}

type ListKeysAnswer = Awaited<ReturnType<KmsClient['listKeys']>>

type Looked = { readable: number; denial: ServiceError | undefined }

function assertLooked({ readable, denial }: Looked): void {
  if (readable === 0 && denial) throw denial
}

async function eldestFirst(
  client: KmsClient,
  keyArns: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const described = keyArns.map(async (keyArn) => {
    const { KeyMetadata } = await client.describeKey(keyArn, signal)
    return { keyArn, at: KeyMetadata?.CreationDate?.getTime() ?? 0 }
  })
  return (await Promise.all(described))
    .toSorted((one, other) => one.at - other.at)
    .map(({ keyArn }) => keyArn)
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
    const isOurs = await bears(client, keyArn, intentId, signal)
    looked.readable += 1
    return isOurs
  } catch (thrown) {
    const error = toServiceError(thrown)
    if (error.code === 'vault_denied') looked.denial = error
    else if (error.code !== 'vault_key_unusable') throw thrown
    return false
  }
}

async function bears(
  client: KmsClient,
  keyArn: string,
  intentId: string,
  signal: AbortSignal,
): Promise<boolean> {
  let marker: string | undefined
  for (let page = 0; page < tagPagesMax; page += 1) {
    const { Tags, ...rest } = await client.listResourceTags(keyArn, marker, signal)
    if (!Tags) throw noAnswer('Tags')
    if (Tags.some((tag) => isIntent(tag, intentId))) return true
    marker = nextOf(rest)
    if (marker === undefined) return false
  }
  throw new ServiceError('vault_unavailable', 'A key has more tags than can be looked through')
}

type Tag = NonNullable<Awaited<ReturnType<KmsClient['listResourceTags']>>['Tags']>[number]

function isIntent({ TagKey, TagValue }: Tag, intentId: string): boolean {
  if (TagKey === undefined || TagValue === undefined) throw noAnswer('TagKey or TagValue')
  return TagKey === intentTag && TagValue === intentId
}
