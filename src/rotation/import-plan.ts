import { ServiceError } from '../errors.ts'
import { isSameKey, type KeyIdentity } from '../keys/identity.ts'
import type { Key } from '../keys/key.ts'
import { hasEnded } from '../keys/lifecycle.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'

export type WantedImport = {
  readonly key: Key
  readonly identity: KeyIdentity
  /** The portal's, of a key whose tokens name it. */
  readonly keyId: string | undefined
  /** The portal has made another secret for the same key id: the one before is dead. */
  readonly isRegenerated: boolean
}

export type ImportPlan =
  /** @param replaces is revoked in the moment that the new one is there; if it signs, the new one signs then. */
  | { readonly kind: 'import'; readonly replaces: KeyVersion | undefined }
  /** An earlier run has come so far: there is nothing to upload. */
  | { readonly kind: 'already'; readonly version: KeyVersion }

/** Two sign side by side; what has not ended may come to sign. */
const versionsMax = 2

/**
 * Whether a key is new, here already, or somebody else's; pure.
 *
 * @param versions every one there is, of all keys.
 * @throws {ServiceError} `refused`, before anything is uploaded.
 */
export function planImport(versions: readonly KeyVersion[], wanted: WantedImport): ImportPlan {
  const { key, identity, keyId, isRegenerated } = wanted
  const same = versions.find((version) => isSameKey(version, key.algorithm.name, identity))
  if (same) return whenHere(same, wanted)
  const own = versions.filter((version) => version.key === key.name)
  const named = own.find((version) => version.kid === keyId && !hasEnded(version.state))
  if (isRegenerated && !named) {
    throw refusal(
      `No version of ${key.name} has the key id ${keyId}: import it without --regenerated`,
    )
  }
  if (named && !isRegenerated) {
    throw refusal(
      `${nameOf(named)} has the key id ${keyId} and another secret: if the portal has regenerated it, say --regenerated`,
    )
  }
  if (keyId !== undefined && !isRegenerated) assertRoom(own)
  return { kind: 'import', replaces: named }
}

function whenHere(version: KeyVersion, { key, keyId }: WantedImport): ImportPlan {
  const name = nameOf(version)
  if (version.key !== key.name) throw refusal(`This key is already ${name}: each key needs its own`)
  if (hasEnded(version.state)) {
    throw refusal(`This key is ${name}, which has ended: have a new one made, and import that`)
  }
  if (keyId !== undefined && version.kid !== keyId) {
    throw refusal(
      `This secret is already ${name}, of the key id ${version.kid}: look which is meant`,
    )
  }
  return { kind: 'already', version }
}

function assertRoom(own: readonly KeyVersion[]): void {
  const live = own.filter(({ state }) => !hasEnded(state))
  const [oldest] = live
  if (!oldest || live.length < versionsMax) return
  const names = live.map(nameOf).join(' and ')
  const waiting = live.find(({ state }) => state === 'created')
  if (waiting) {
    const name = nameOf(waiting)
    throw refusal(
      `${names} are there, and no third can be. ${name} does not sign yet: see what it waits for with \`chancery rotate ${waiting.key}\`, or give it up with \`chancery revoke ${name} --reason …\``,
    )
  }
  const left = live.find(({ state }) => state !== 'active')
  const old = left ?? oldest
  const words = left ? 'are there, and no third can be' : 'sign, and no third can'
  throw refusal(
    `${names} ${words}: delete the old key at the portal, then \`chancery confirm ${nameOf(old)} --deleted\``,
  )
}

function nameOf({ key, n }: KeyVersion): string {
  return versionName(key, n)
}

function refusal(message: string): ServiceError {
  return new ServiceError('refused', message)
}
