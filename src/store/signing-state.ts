import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { SigningSubject, Verdict } from '../audit/log.ts'
import type { VersionState } from '../keys/lifecycle.ts'
import { isSuspended } from '../keys/suspension.ts'
import { versionName } from '../keys/version.ts'

/**
 * Who and what may sign now, read inside the transaction that asks. SQLite's `data_version` changes
 * whenever another connection has committed (https://www.sqlite.org/pragma.html#pragma_data_version)
 * and this connection writes the audit, heartbeats, and suspensions, after which it says `forget`: so an
 * unchanged one means that the last reading holds.
 */
export class SigningState {
  readonly #dataVersion: StatementSync
  readonly #versions: StatementSync
  readonly #suspensions: StatementSync
  #readAt: unknown
  #states = new Map<string, unknown>()
  #suspended = new Set<string>()

  constructor(database: DatabaseSync) {
    this.#dataVersion = database.prepare('pragma data_version')
    this.#versions = database.prepare('select key, n, state from versions')
    this.#suspensions = database.prepare('select kind, name from suspensions')
  }

  /** @returns the number that changes with every change of state; call it in the transaction. */
  refresh(): number {
    const dataVersion = Number(this.#dataVersion.get()?.['data_version'])
    if (dataVersion === this.#readAt) return dataVersion
    this.#states = new Map(
      this.#versions.all().map(({ key, n, state }) => [versionName(String(key), Number(n)), state]),
    )
    this.#suspended = new Set(
      this.#suspensions.all().map(({ kind, name }) => `${String(kind)} ${String(name)}`),
    )
    this.#readAt = dataVersion
    return dataVersion
  }

  /** What was read no longer holds: this connection itself has changed it. */
  forget(): void {
    this.#readAt = undefined
  }

  verdict(subject: SigningSubject): Verdict {
    const state = this.#states.get(versionName(subject.key, subject.version))
    if (state === 'revoked') return 'version_revoked'
    if (isSuspended(({ kind, name }) => this.#suspended.has(`${kind} ${name}`), subject)) {
      return 'suspended'
    }
    return state === ('active' satisfies VersionState) ? 'may_sign' : 'version_not_active'
  }
}
