import type { AppKey } from './app-key.ts'
import { insertChange } from './store/changes.ts'
import { countKeys, deleteKey, insertKey, isRegistered } from './store/keys.ts'
import type { RegistryStore } from './store/store.ts'
import type { Bearer } from './token.ts'

export type Admission = 'admitted' | 'key_pair_in_use' | 'slots_full'

/** Pure. A key pair that is somebody's stays so, whether the app has a slot left or not. */
export function admit(facts: {
  readonly isRegistered: boolean
  readonly keys: number
  readonly maxKeys: number
}): Admission {
  if (facts.isRegistered) return 'key_pair_in_use'
  return facts.keys < facts.maxKeys ? 'admitted' : 'slots_full'
}

export type RegisterCommand = {
  readonly bearer: Bearer
  readonly key: AppKey
  readonly maxKeys: number
}

/** Decided and written in one transaction, so that of two at once one sees the other. */
export async function register(
  store: RegistryStore,
  { bearer, key, maxKeys }: RegisterCommand,
): Promise<Admission> {
  return store.writeTransaction(async (transaction) => {
    const admission = admit({
      isRegistered: await isRegistered(transaction, key.spki),
      keys: await countKeys(transaction, key.app),
      maxKeys,
    })
    if (admission !== 'admitted') return admission
    // Whatever was seen above, the unique index has the last word.
    if (!(await insertKey(transaction, key))) return 'key_pair_in_use'
    await insertChange(transaction, {
      ...changeBy(bearer, key),
      at: key.createdAt,
      action: 'create key',
    })
    return 'admitted'
  })
}

export type WithdrawCommand = {
  readonly bearer: Bearer
  readonly app: string
  readonly kid: string
  readonly now: number
}

/** @returns whether the app had the key. */
export async function withdraw(
  store: RegistryStore,
  { bearer, now, ...key }: WithdrawCommand,
): Promise<boolean> {
  return store.writeTransaction(async (transaction) => {
    const wasThere = await deleteKey(transaction, key.app, key.kid)
    if (!wasThere) return false
    await insertChange(transaction, { ...changeBy(bearer, key), at: now, action: 'delete key' })
    return true
  })
}

function changeBy(bearer: Bearer, { app, kid }: { readonly app: string; readonly kid: string }) {
  // Only an admin comes this far: the schema refuses a change by anybody else.
  return {
    actor: bearer.id,
    role: bearer.role,
    organization: bearer.organization,
    app,
    subject: kid,
  }
}
