import { ServiceError } from '../errors.ts'
import type { Key, Source } from '../keys/key.ts'
import { isSuspended } from '../keys/suspension.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import { fingerprints, type Fingerprints, spkiPem } from '../signing/fingerprint.ts'
import { publicKeyFromSpki } from '../signing/public-key.ts'
import { publishedJwk } from '../signing/public-jwk.ts'
import { openEntries, type OpenEntry } from '../store/journal.ts'
import { readSuspensions } from '../store/suspensions.ts'
import type { Store } from '../store/store.ts'
import { listVersions, listVersionsOf } from '../store/versions.ts'

/** A key as people look at it: what it is, and every version it ever had. */
export type KeyListing = {
  readonly key: string
  readonly vault: string | undefined
  readonly alg: string | undefined
  readonly purpose: string | undefined
  readonly profile: string | undefined
  readonly source: string | undefined
  /** What its portal lets it be used for; empty for most. */
  readonly methods: readonly string[]
  /** False for a key that the store has and the configuration has not: it answers 404. */
  readonly configured: boolean
  readonly versions: readonly VersionListing[]
}

export type VersionListing = {
  readonly version: string
  readonly state: string
  readonly suspended: boolean
  readonly source: Source
  readonly custody: string
  readonly kid: string
  readonly createdAt: number
  /** Whose run made, adopted or imported it: the operating system's user and host. */
  readonly madeBy: string
  readonly activatedAt: number | undefined
  readonly endedAt: number | undefined
  /** Steps outside of the store whose end is not known, each with why its last try failed. */
  readonly pending: readonly PendingStep[]
  readonly fingerprints: Partial<Fingerprints>
}

export type PendingStep = Pick<OpenEntry, 'step' | 'failure'>

/** Every key of the configuration and of the store, by name. */
export async function listKeys(
  { connection }: Store,
  configured: ReadonlyMap<string, Key>,
): Promise<readonly KeyListing[]> {
  const versions = Map.groupBy(await listVersions(connection), ({ key }) => key)
  const suspended = await readSuspensions(connection)
  const open = await openEntries(connection)
  const names = [...new Set([...configured.keys(), ...versions.keys()])].toSorted()
  return names.map((name) => {
    const key = configured.get(name)
    const list = versions.get(name) ?? []
    return {
      key: name,
      vault: key?.vault ?? list[0]?.vault,
      alg: key?.algorithm.name ?? list[0]?.algorithm,
      purpose: key?.purpose,
      profile: key?.profile?.name,
      source: key?.source,
      methods: key?.methods ?? [],
      configured: key !== undefined,
      versions: list.map((version) => listing(version, { suspended, open })),
    }
  })
}

type IsFlagged = Awaited<ReturnType<typeof readSuspensions>>

function listing(
  version: KeyVersion,
  { suspended, open }: { readonly suspended: IsFlagged; readonly open: readonly OpenEntry[] },
): VersionListing {
  const { key, n, state, source, custody, kid, createdAt, madeBy } = version
  const { activatedAt, endedAt, spki } = version
  const subject = { caller: '', key, version: n }
  return {
    version: versionName(key, n),
    state,
    suspended: isSuspended(suspended, subject),
    source,
    custody,
    kid,
    createdAt,
    madeBy,
    activatedAt,
    endedAt,
    pending: open
      .filter((entry) => entry.key === key && entry.n === n)
      .map(({ step, failure }) => ({ step, failure })),
    fingerprints: spki ? fingerprints(publicKeyFromSpki(spki)) : {},
  }
}

/** The public half of the version that signs now, as verifiers take it. */
export type PublicForms = { readonly jwk: object; readonly pem: string }

/** @throws {ServiceError} `refused` for a key without a signing version, or without a public half. */
export async function publicForms({ connection }: Store, key: string): Promise<PublicForms> {
  const versions = await listVersionsOf(connection, key)
  const active = versions.find(({ state }) => state === 'active')
  if (!active) {
    const message = `${key} has no version that signs: run \`chancery rotate ${key}\``
    throw new ServiceError('refused', message)
  }
  if (!active.spki) throw new ServiceError('refused', `${key} is symmetric: it has no public half`)
  const publicKey = publicKeyFromSpki(active.spki)
  return { jwk: publishedJwk(publicKey, active.kid, active.algorithm), pem: spkiPem(publicKey) }
}
