import { ServiceError } from '../../errors.ts'
import { createCredential } from '../../lib/credential.ts'
import { findApp, insertApp, isAppNamed } from './store/apps.ts'
import { type Actor, type Change, insertChange } from './store/changes.ts'
import type { RegistryStore, WriteTransaction } from './store/store.ts'
import { findToken, insertToken, markRevoked } from './store/tokens.ts'
import type { Role } from './token.ts'

/** What an operator does to the registry's database itself: apps and tokens. */

export type DeskDeps = {
  readonly store: RegistryStore
  readonly actor: string
  readonly now: number
}

/** Leaves room, in an id of 64 characters, for what tells apps of one name apart. */
const goodName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/

const namesakesMax = 100

/**
 * Makes an app. Its id is its name, or `name-2` and so on where another organization has that one.
 *
 * @returns the id.
 * @throws {ServiceError} `usage`; `refused` when the organization has an app of that name.
 */
export async function createApp(
  deps: DeskDeps,
  organization: string,
  app: string,
): Promise<string> {
  checkName('An organization', organization)
  checkName('An app', app)
  return deps.store.writeTransaction(async (transaction) => {
    if (await isAppNamed(transaction, organization, app)) {
      const message = `${organization} has an app ${app}: see \`chancery registry app list\``
      throw new ServiceError('refused', message)
    }
    const id = await freeId(transaction, app)
    await insertApp(transaction, { id, organization, name: app, createdAt: deps.now })
    await insertChange(transaction, {
      ...by(deps, 'create app', organization),
      app: id,
      subject: id,
    })
    return id
  })
}

async function freeId(transaction: WriteTransaction, app: string): Promise<string> {
  for (let n = 1; n <= namesakesMax; n += 1) {
    const id = n === 1 ? app : `${app}-${n}`
    if (!(await findApp(transaction, id))) return id
  }
  throw new ServiceError('refused', `Too many apps are named ${app}: name it otherwise`)
}

/**
 * Makes a token for an organization, which need not have an app yet.
 *
 * @returns its text, which is stored nowhere.
 * @throws {ServiceError} `usage`.
 */
export async function createToken(
  deps: DeskDeps,
  organization: string,
  role: Role,
): Promise<string> {
  checkName('An organization', organization)
  const { text, record } = createCredential('chr')
  const token = { ...record, organization, role, createdAt: deps.now, revokedAt: undefined }
  await deps.store.writeTransaction(async (transaction) => {
    await insertToken(transaction, token)
    const change = { ...by(deps, 'create token', organization), subject: record.id }
    await insertChange(transaction, change)
  })
  return text
}

export type RevokedToken = {
  readonly organization: string
  readonly role: Role
  readonly id: string
  readonly revokedAt: number
}

/**
 * In force when it returns, since every request reads its token anew. A second time changes nothing.
 *
 * @throws {ServiceError} `refused` when there is no such token.
 */
export async function revokeToken(deps: DeskDeps, id: string): Promise<RevokedToken> {
  return deps.store.writeTransaction(async (transaction) => {
    const token = await findToken(transaction, id)
    if (!token) {
      const message = `There is no token ${id}: see \`chancery registry token list\``
      throw new ServiceError('refused', message)
    }
    const { organization, role, revokedAt } = token
    if (revokedAt !== undefined) return { organization, role, id, revokedAt }
    await markRevoked(transaction, id, deps.now)
    const change = { ...by(deps, 'revoke token', organization), subject: id }
    await insertChange(transaction, change)
    return { organization, role, id, revokedAt: deps.now }
  })
}

function checkName(what: string, sent: string): void {
  if (goodName.test(sent)) return
  const message = `${what} is named with A-Z, a-z, 0-9, ., _ and -, from a letter or digit, at most 60 long`
  throw new ServiceError('usage', message)
}

function by(
  { actor, now }: DeskDeps,
  action: Change['action'],
  organization: string,
): Actor & Pick<Change, 'action' | 'at' | 'organization'> {
  return { actor, role: 'operator', at: now, action, organization }
}
