/** The tables as they stand after the last migration. Instants are epoch milliseconds. */
export interface Tables {
  apps: AppsTable
  keys: KeysTable
  tokens: TokensTable
  changes: ChangesTable
}

interface AppsTable {
  id: string
  organization: string
  name: string
  created_at: number
}

/** Public halves only: there is no column that a private one could stand in. */
interface KeysTable {
  kid: string
  app: string
  alg: string
  shape: string
  spki: Uint8Array
  created_at: number
  /** The id of a token. */
  created_by: string
}

interface TokensTable {
  id: string
  organization: string
  role: string
  sha256: Uint8Array
  created_at: number
  revoked_at: number | null
}

/** Who changed what, and when. */
export interface ChangesTable {
  at: number
  actor: string
  role: string
  action: string
  organization: string
  app: string | null
  subject: string
}
