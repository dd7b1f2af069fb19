import { randomBytes } from 'node:crypto'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { type Home, homesOfThisFile } from '../support/home.ts'
import { eventually } from '../support/serving.ts'

const homes = homesOfThisFile()

type Refusal = {
  readonly what: string
  readonly damage: (home: Home) => void
  readonly exitCode: number
  readonly code: string
  /** All that the operator needs, `DIR` being the home. */
  readonly says: readonly string[]
}

const invalid = { exitCode: 2, code: 'config_invalid' } as const
const mismatch = { exitCode: 2, code: 'store_mismatch' } as const
const unavailable = { exitCode: 5, code: 'store_unavailable' } as const

const replaced = (from: string, to: string) => (home: Home) =>
  home.edit((text) => text.replace(from, to))

const withoutGrants = (text: string) => text.replace(/grants:[^]*/, 'grants: []\n')
const client = 'name: client-assertion, clientId: a, audience: b'

const secrets: readonly Refusal[] = [
  {
    what: 'the master key is missing',
    damage: ({ at }) => rmSync(at('master.key')),
    ...invalid,
    says: ['vault local: ', 'DIR/var/master.key does not exist', '`chancery vault init local`'],
  },
  {
    what: 'the master key is open to other users',
    damage: ({ at }) => chmodSync(at('master.key'), 0o640),
    ...invalid,
    says: ['DIR/var/master.key is open to other users: chmod 600 DIR/var/master.key'],
  },
  {
    what: 'the vault is open to other users',
    damage: ({ at }) => chmodSync(at('vault'), 0o755),
    ...invalid,
    says: ['DIR/var/vault is open to other users: chmod 700 DIR/var/vault'],
  },
  {
    what: 'the audit digest key is open to other users',
    damage: ({ at }) => chmodSync(at('audit-digest.key'), 0o644),
    ...invalid,
    says: ['DIR/var/audit-digest.key is open to other users: chmod 600 '],
  },
  {
    what: 'the audit digest key has another size',
    damage: ({ at }) => writeFileSync(at('audit-digest.key'), randomBytes(31)),
    ...invalid,
    says: ['DIR/var/audit-digest.key is not an audit digest key: it has 32 random bytes'],
  },
  {
    what: 'the audit digest key is missing',
    damage: ({ at }) => rmSync(at('audit-digest.key')),
    ...invalid,
    says: ['DIR/var/audit-digest.key does not exist'],
  },
]

const stores: readonly Refusal[] = [
  {
    what: 'the store is of another environment',
    damage: replaced('environment: dev', 'environment: prod'),
    ...mismatch,
    says: [
      'The store belongs to environment "dev", the configuration says "prod": correct environment or store.sqlite',
    ],
  },
  {
    what: 'the schema is newer than the program',
    damage: ({ at }) =>
      execute(
        at('chancery.db'),
        `insert into kysely_migration values ('9999-later', '2027-01-01')`,
      ),
    ...mismatch,
    says: ["The store's schema is newer than this program (9999-later): use the newer program"],
  },
  {
    what: 'the store would be under a regular file',
    damage: replaced('./var/chancery.db', './chancery.yaml/chancery.db'),
    ...unavailable,
    says: [
      'The store cannot be used: it cannot be opened: check that its directory exists and is writable',
    ],
  },
  {
    what: 'the store is a directory',
    damage: replaced('./var/chancery.db', './var/vault'),
    ...unavailable,
    says: ['The store cannot be used: it cannot be opened'],
  },
  {
    what: 'the store is another kind of file',
    damage: ({ at }) =>
      writeFileSync(at('chancery.db'), 'not a database, but long enough'.repeat(99)),
    ...unavailable,
    says: ['The store cannot be used: it is not a SQLite database: check the path'],
  },
]

const issue = (text: string) => [
  `keys.first-key: ${text} `,
  'restore it, or configure a key with another name',
]

const keys: readonly Refusal[] = [
  {
    what: 'the algorithm of a key was changed',
    damage: replaced('alg: ES256', 'alg: ES384'),
    ...invalid,
    says: issue('alg was ES256'),
  },
  {
    what: 'the profile of a key was changed',
    damage(home) {
      replaced('name: generic-jwt, issuer: https://chancery.example', client)(home)
      home.edit(withoutGrants)
    },
    ...invalid,
    says: issue('profile was generic-jwt'),
  },
  {
    what: 'the vault of a key was changed',
    damage(home) {
      replaced(
        'vaults:\n',
        'vaults:\n  other: { provider: local, directory: ./v, masterKeyFile: ./m }\n',
      )(home)
      replaced('vault: local\n', 'vault: other\n')(home)
    },
    ...invalid,
    says: issue('vault was local'),
  },
  {
    what: 'the purpose of a key was changed',
    damage(home) {
      replaced(
        'profile: { name: generic-jwt, issuer: https://chancery.example }',
        'purpose: bytes',
      )(home)
      home.edit(withoutGrants)
    },
    ...invalid,
    says: issue('purpose was jwt'),
  },
]

describe.each([
  ['a secret that it needs', secrets],
  ['its store', stores],
  ['a key that exists', keys],
])('serve does not start on a fault of %s', (_, refusals) => {
  test.concurrent.each(refusals)(
    '$what: exit $exitCode',
    async ({ damage, exitCode, code, says }) => {
      const home = homes.copy()
      damage(home)
      const ran = await home.json(['serve'])
      expect(ran.exitCode).toBe(exitCode)
      expect(ran.document).toMatchObject({ error: { code } })
      for (const words of says)
        expect(ran.stderr).toContain(words.replaceAll('DIR', home.directory))
      expect(ran.stderr).not.toMatch(/^ {4}at /m)
    },
  )
})

test('with another master key it starts, says so, and refuses with that key alone', async () => {
  const home = homes.copy()
  writeFileSync(home.at('master.key'), randomBytes(32))
  await using serving = await home.serve()
  await eventually(() => serving.stderr().includes('The key is sealed under another master key'))
  const answer = await serving.ask('first-key', { claims: { sub: 'a' } })
  expect(answer).toMatchObject({ status: 503, body: { code: 'vault_key_unusable' } })
  expect(answer.text).not.toContain(home.directory)
  expect(answer.text).not.toContain('first-key@1.')
})

function execute(file: string, sql: string): void {
  const database = new DatabaseSync(file)
  database.exec(sql)
  database.close()
}
