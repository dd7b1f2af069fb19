import { type Kysely, sql } from 'kysely'
import type { Migrations } from '../../../store/migrate.ts'

/** No name is one of the service's: its store would otherwise pass for this one. */
export const migrations: Migrations = {
  '0001-registry': { up: first },
}

async function first(db: Kysely<unknown>): Promise<void> {
  for (const statement of firstStatements) await sql.raw(statement).execute(db)
}

const firstStatements = [
  `create table apps (
    id text primary key,
    organization text not null,
    name text not null,
    created_at integer not null,
    unique (organization, name)
  ) strict`,
  // A key pair serves one app, whoever asks first: this index decides.
  `create table keys (
    kid text primary key,
    app text not null references apps (id),
    alg text not null,
    shape text not null check (shape in ('contentful', 'rfc7517')),
    spki blob not null unique,
    created_at integer not null,
    created_by text not null references tokens (id)
  ) strict`,
  `create index keys_of_app on keys (app, created_at)`,
  `create trigger keys_do_not_change before update on keys
    begin select raise(abort, 'a key is registered or withdrawn, never changed'); end`,
  `create table tokens (
    id text primary key,
    organization text not null,
    role text not null check (role in ('admin', 'reader')),
    sha256 blob not null unique,
    created_at integer not null,
    revoked_at integer
  ) strict`,
  `create trigger tokens_are_kept before delete on tokens
    begin select raise(abort, 'tokens are revoked, never deleted'); end`,
  `create trigger tokens_keep_what_they_are
    before update of id, organization, role, sha256, created_at on tokens
    begin select raise(abort, 'a token keeps its organization, its role and its secret'); end`,
  `create trigger revoked_is_terminal before update of revoked_at on tokens
    when old.revoked_at is not null
    begin select raise(abort, 'a revoked token stays revoked'); end`,
  `create table changes (
    seq integer primary key autoincrement,
    at integer not null,
    actor text not null,
    role text not null check (role in ('admin', 'operator')),
    action text not null check (action in
      ('create app', 'create token', 'revoke token', 'create key', 'delete key')),
    organization text not null,
    app text,
    subject text not null
  ) strict`,
  `create trigger changes_are_kept before delete on changes
    begin select raise(abort, 'what happened stays written'); end`,
  `create trigger changes_do_not_change before update on changes
    begin select raise(abort, 'what happened stays written'); end`,
  // OR REPLACE deletes rows without firing those: https://www.sqlite.org/lang_conflict.html
  `create trigger changes_are_not_replaced before insert on changes
    when exists (select 1 from changes where seq = new.seq)
    begin select raise(abort, 'what happened stays written'); end`,
  `create trigger tokens_are_not_replaced before insert on tokens
    when exists (select 1 from tokens where id = new.id or sha256 = new.sha256)
    begin select raise(abort, 'tokens are never replaced'); end`,
]
