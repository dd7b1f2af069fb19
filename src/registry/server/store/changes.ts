import type { Role } from '../token.ts'
import type { ChangesTable } from './schema.ts'
import type { WriteTransaction } from './store.ts'

/** Who: a token with its role, or whoever runs a command on the database. */
export type Actor = { readonly actor: string; readonly role: Role | 'operator' }

export type Change = Actor & {
  readonly at: number
  readonly action: 'create app' | 'create token' | 'revoke token' | 'create key' | 'delete key'
  readonly organization: string
  readonly app?: string
  /** The id of an app or a token, or a kid. */
  readonly subject: string
}

/** Every change is recorded in the transaction that makes it. */
export async function insertChange(transaction: WriteTransaction, change: Change): Promise<void> {
  const row: ChangesTable = { app: null, ...change }
  await transaction.insertInto('changes').values(row).execute()
}
