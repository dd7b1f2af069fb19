import type { Connection, Store, WriteTransaction } from './store.ts'

/** Longer than any external call of a tick; it is renewed before each of them. */
const leaseMs = 30_000

/** A process that wants the lease. */
export type LeaseHolder = {
  readonly id: string
  readonly pid: number
  /** The host and its namespace of processes, where alone a pid means something; undefined where there are none. */
  readonly place?: string | undefined
  /** Of this place. */
  isAlive(pid: number): boolean
}

/** Keeps two jobs apart. `fence` grows with every holder: a write under an old one is refused. */
export type Lease = { readonly holder: string; readonly fence: number }

const name = 'rotation'

/** @returns undefined when another live process holds it. */
export async function takeLease(
  store: Store,
  holder: LeaseHolder,
  now: number,
): Promise<Lease | undefined> {
  return store.writeTransaction(async ({ connection }) => {
    const row = await connection
      .selectFrom('leases')
      .selectAll()
      .where('name', '=', name)
      .executeTakeFirst()
    if (row && row.expires_at > now && mayLive(row, holder)) return undefined
    const fence = (row?.fence ?? 0) + 1
    const id = textOf(holder)
    const values = { holder: id, pid: holder.pid, fence, expires_at: now + leaseMs }
    await connection
      .insertInto('leases')
      .values({ name, ...values })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(values))
      .execute()
    return { holder: id, fence }
  })
}

/** Of another place, as of another container on this volume, only the end of its lease tells that a process is gone. */
function mayLive({ holder: text, pid }: HeldBy, taker: LeaseHolder): boolean {
  const place = /^\S+ in (.+)$/.exec(text)?.[1]
  const isElsewhere = place !== undefined && place !== taker.place
  return isElsewhere || taker.isAlive(pid)
}

type HeldBy = { readonly holder: string; readonly pid: number }

function textOf({ id, place }: LeaseHolder): string {
  return place === undefined ? id : `${id} in ${place}`
}

/** Compared in the write itself: false when the lease is no longer ours. */
export async function renewLease(
  { connection }: WriteTransaction,
  lease: Lease,
  now: number,
): Promise<boolean> {
  const { numUpdatedRows } = await ours(connection, lease)
    .set({ expires_at: now + leaseMs })
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** The fence stays, so that it can only grow. */
export async function releaseLease(store: Store, lease: Lease): Promise<void> {
  await store.writeTransaction(async ({ connection }) => {
    await ours(connection, lease).set({ expires_at: 0 }).execute()
  })
}

function ours(connection: Connection, { holder, fence }: Lease) {
  return connection
    .updateTable('leases')
    .where('name', '=', name)
    .where('holder', '=', holder)
    .where('fence', '=', fence)
}
