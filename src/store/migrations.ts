import { type Kysely, sql } from 'kysely'
import type { Migrations } from './migrate.ts'

/** Before the first release these may change; after it, one is only ever added. */
export const migrations: Migrations = {
  '0001-first': { up: first },
  '0002-proofs': { up: proofs },
}

async function first(db: Kysely<unknown>): Promise<void> {
  for (const statement of firstStatements) await sql.raw(statement).execute(db)
}

async function proofs(db: Kysely<unknown>): Promise<void> {
  for (const statement of proofsStatements) await sql.raw(statement).execute(db)
}

const firstStatements = [
  `create table meta (name text primary key, value text not null) strict`,
  `create table keys (
    name text primary key,
    vault text not null,
    alg text not null,
    purpose text not null check (purpose in ('jwt', 'bytes')),
    profile text,
    registry text,
    created_at integer not null
  ) strict`,
  // A key pair is unique over all keys, also over those that have ended.
  `create table versions (
    key text not null references keys (name),
    n integer not null check (n >= 1),
    state text not null check (state in
      ('created', 'published', 'active', 'retiring', 'retired', 'destroyed', 'revoked')),
    source text not null,
    custody text not null,
    vault text not null,
    resource text not null,
    alg text not null,
    spki blob unique,
    known_answer blob,
    kid text not null,
    generation text,
    created_at integer not null,
    made_by text not null,
    published_at integer,
    activated_at integer,
    retiring_at integer,
    ended_at integer,
    withdrawn_at integer,
    disabled_at integer,
    primary key (key, n),
    unique (vault, resource),
    unique (key, generation),
    check ((spki is null) <> (known_answer is null))
  ) strict`,
  `create index active_versions on versions (key) where state = 'active'`,
  // Revoked is terminal, whoever writes.
  `create trigger revoked_is_terminal before update of state on versions
    when old.state = 'revoked' and new.state <> 'revoked'
    begin select raise(abort, 'a revoked version stays revoked'); end`,
  `create trigger versions_are_kept before delete on versions
    begin select raise(abort, 'versions are never deleted'); end`,
  // OR REPLACE deletes rows without firing that one: https://www.sqlite.org/lang_conflict.html
  `create trigger versions_are_not_replaced before insert on versions
    when exists (select 1 from versions where (key = new.key and n = new.n) or spki = new.spki
      or (vault = new.vault and resource = new.resource))
    begin select raise(abort, 'versions are never replaced'); end`,
  // One version of a key is active; two where each token names its version.
  ...['insert on', 'update of state on'].map(
    (event) => `create trigger active_before_${event.split(' ')[0]} before ${event} versions
    when new.state = 'active' and
      (select count(*) from versions where key = new.key and n <> new.n and state = 'active') >=
      (select iif(profile = 'api-key-token', 2, 1) from keys where name = new.key)
    begin select raise(abort, 'one version of a key is active, or as many as its profile allows'); end`,
  ),
  `create trigger versions_keep_their_key_pair
    before update of key, n, vault, resource, alg, spki, known_answer on versions
    begin select raise(abort, 'a version keeps its name and its key pair'); end`,
  `create table suspensions (
    kind text not null check (kind in ('key', 'version', 'caller', 'everything')),
    name text not null,
    reason text not null,
    at integer not null,
    primary key (kind, name)
  ) strict`,
  `create table journal (
    id text primary key,
    step text not null check (step in ('generate', 'publish')),
    key text not null,
    n integer not null,
    state text not null check (state in ('open', 'done')),
    resource text,
    at integer not null
  ) strict`,
  // Keys in a vault that runs have left there and that are no versions; their numbers stay taken.
  `create table orphans (
    key text not null,
    n integer not null,
    vault text not null,
    intent text not null,
    resource text not null,
    at integer not null,
    deleted_at integer,
    primary key (key, n)
  ) strict`,
  // What Terraform has made a version of since is none.
  `create view orphans_left as select key, n, vault, intent, resource from orphans
    where deleted_at is null and not exists (
      select 1 from versions
        where versions.vault = orphans.vault and versions.resource = orphans.resource
    )`,
  // A rotation that somebody asked for before it was due, of the version that then signed.
  `create table rotations (
    key text primary key,
    replaces integer not null,
    is_emergency integer not null check (is_emergency in (0, 1)),
    asked_at integer not null
  ) strict`,
  // Base64url of the SHA-256 of public keys that may be nothing but revoked.
  `create table revoked_digests (digest text primary key, at integer not null) strict`,
  `create table leases (
    name text primary key,
    holder text not null,
    pid integer not null,
    fence integer not null,
    expires_at integer not null
  ) strict`,
  // Appended in the order of its key; the body's exact bytes are what the chain hashes.
  `create table audit (
    writer text not null,
    seq integer not null,
    body text not null,
    hash blob not null,
    primary key (writer, seq)
  ) strict, without rowid`,
]

const proofsStatements = [
  // The processes that serve, each as long as it says so, and what each could sign with.
  `create table processes (
    id text primary key,
    host text not null,
    pid integer not null,
    beat_at integer not null
  ) strict`,
  `create table proofs (
    process text not null references processes (id) on delete cascade,
    key text not null,
    n integer not null,
    code text not null,
    at integer not null,
    primary key (process, key, n)
  ) strict, without rowid`,
  // More steps than at first. SQLite cannot change a check: https://www.sqlite.org/lang_altertable.html
  `alter table journal rename to journal_of_two_steps`,
  `create table journal (
    id text primary key,
    step text not null check (step in ('generate', 'import', 'publish', 'withdraw', 'disable')),
    key text not null,
    n integer not null,
    state text not null check (state in ('open', 'done')),
    resource text,
    at integer not null,
    failure text
  ) strict`,
  `insert into journal select *, null from journal_of_two_steps`,
  `drop table journal_of_two_steps`,
]
