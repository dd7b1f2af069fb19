import { z } from 'zod'
import { ServiceError } from '../errors.ts'
import { fingerprints } from '../signing/fingerprint.ts'
import type { AppKeyApi } from './app-key-api.ts'
import { shownFingerprint } from './shown-jwk.ts'
import type { RegisteredKey, Registration, Registry, RegistryFacts } from './registry.ts'

/** https://www.contentful.com/developers/docs/references/content-management-api/app-keys/get-all-app-keys */
const keyItem = z.object({
  sys: z.object({ id: z.string(), lastUsedAt: z.iso.datetime({ offset: true }).nullish() }),
  jwk: z.unknown(),
})
const keyList = z.object({ total: z.int().min(0), items: z.array(keyItem) })

/** Each of as many keys as no app has. */
const pagesMax = 10

/** What a registry takes as one key; its own shape of a JWK. */
export type JwkShape = (registration: Registration) => object

/** How often a registry that accepted a key is asked whether it shows it, before that is a failure. */
const readBacksMax = 5
const readBackPauseMs = 200

/** An app of a registry that speaks Contentful's App Key API. */
export function appKeyRegistry(
  api: AppKeyApi,
  {
    facts,
    jwk,
    propagationMs,
    pause,
  }: {
    readonly facts: RegistryFacts
    readonly jwk: JwkShape
    readonly propagationMs: Registry['propagationMs']
    readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
  },
): Registry {
  const list = (signal: AbortSignal) => everyKey(api, signal)
  const has = async (kid: string, signal: AbortSignal) =>
    (await list(signal)).some((key) => key.kid === kid)

  /** What stands there under the id of ours has to be ours: verifiers would refuse all that we sign. */
  const hasThis = async ({ kid, publicKey }: Registration, signal: AbortSignal) => {
    const found = (await list(signal)).find((key) => key.kid === kid)
    const isOther = found?.fingerprint !== fingerprints(publicKey).contentful
    if (found?.fingerprint !== undefined && isOther) {
      const message = 'The registry has another key under the id of this one: delete it there'
      throw new ServiceError('registry_refused', message)
    }
    return found !== undefined
  }

  const readBack = async (registration: Registration, signal: AbortSignal): Promise<void> => {
    for (let i = 0; i < readBacksMax; i += 1) {
      if (await hasThis(registration, signal)) return
      await pause(readBackPauseMs, signal).catch((cause: unknown) => {
        throw unavailable('The registry did not show the key in time', cause)
      })
    }
    throw unavailable('The registry accepted the key and does not list it')
  }

  return {
    facts,
    list,
    propagationMs,
    async publish(registration, signal) {
      if (await hasThis(registration, signal)) return { verdict: 'done' }
      const answer = await api.create(jwk(registration), signal)
      if (answer.verdict === 'refused' && !(await hasThis(registration, signal))) throw answer.error
      await readBack(registration, signal)
      return { verdict: 'done' }
    },
    async withdraw({ kid }, signal) {
      await api.remove(kid, signal)
      if (!(await has(kid, signal))) return { verdict: 'done' }
      throw unavailable('The registry still lists the withdrawn key')
    },
  }
}

/** Page by page. @throws {ServiceError} `registry_*`. */
async function everyKey(api: AppKeyApi, signal: AbortSignal): Promise<readonly RegisteredKey[]> {
  const keys: RegisteredKey[] = []
  for (let page = 0; page < pagesMax; page += 1) {
    const { total, items } = readList(await api.list(keys.length, signal))
    const isNew = items.some(({ sys }) => keys.every(({ kid }) => kid !== sys.id))
    if (!isNew && keys.length < total) break // the same page again, or nothing
    keys.push(...items.map(registeredKey))
    if (keys.length >= total) return keys
  }
  // What is missing would be taken for a key that is not there, or for a free slot.
  throw unavailable('The registry does not list all of its keys')
}

function readList(body: unknown): z.infer<typeof keyList> {
  const listed = keyList.safeParse(body)
  if (listed.success) return listed.data
  throw unavailable('The registry lists its keys in a form that we do not know', listed.error)
}

function registeredKey({ sys: { id, lastUsedAt }, jwk }: z.infer<typeof keyItem>): RegisteredKey {
  return {
    kid: id,
    fingerprint: shownFingerprint(jwk),
    lastUsedAt: lastUsedAt ? Date.parse(lastUsedAt) : undefined,
  }
}

function unavailable(message: string, cause?: unknown): ServiceError {
  return new ServiceError('registry_unavailable', message, { cause })
}
