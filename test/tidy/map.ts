/** The house map of STYLE §2 as data. A pattern ending in `/` is a folder; `*` is one path segment. */

export type Room = {
  readonly room: string
  readonly lives: string
  /** Patterns of what it may import; a room may always import itself. */
  readonly mayImport: readonly string[]
}

export type Vendor = {
  /** An npm name, `@scope/*` for a vendor's whole scope, or a Node module that needs a room. */
  readonly name: string
  readonly rooms: readonly string[]
}

/** The folders that are checked, and into which a relative import may lead. */
export const trees = ['src', 'providers', 'terraform', 'test'] as const

const base = ['src/errors.ts', 'src/lib/']
const core = [...base, 'src/signing/']

const sqlite = ['src/store/dialect.ts', 'src/store/migrate.ts', 'src/store/sqlite.ts']

/** "The nouns above" of STYLE §2: all that a use case or a rotation step may speak of. */
const nouns = [
  ...core,
  'src/keys/',
  'src/policy/',
  'src/auth/',
  'src/audit/',
  'src/registry/*',
  'src/store/',
]

export const rooms: readonly Room[] = [
  {
    room: 'src/errors.ts',
    lives: '`ServiceError` and the closed list of codes',
    mayImport: [],
  },
  {
    room: 'src/lib/',
    lives:
      'what knows nothing of keys: bytes, der, json, clock, deadline, retry, log, secret, ulid',
    mayImport: ['src/errors.ts'],
  },
  {
    room: 'src/listener/',
    lives: 'what every HTTP listener needs: connections and bodies with bounds, exact paths',
    mayImport: base,
  },
  {
    room: 'src/signing/',
    lives: 'what a signature is: algorithm table, the ports, hash–sign–verify, JWK, fingerprints',
    mayImport: base,
  },
  {
    room: 'providers/index.ts',
    lives: 'every config schema eagerly, every signer lazily',
    mayImport: ['providers/*/'],
  },
  {
    room: 'providers/generators.ts',
    lives: 'every generator lazily: for the job, never for serve',
    mayImport: ['providers/*/'],
  },
  {
    room: 'providers/importers.ts',
    lives: 'every importer lazily: for the import command, never for serve',
    mayImport: ['providers/*/'],
  },
  {
    room: 'providers/disablers.ts',
    lives: 'every disabler lazily: for commands, never for serve',
    mayImport: ['providers/*/'],
  },
  {
    room: 'providers/administration.ts',
    lives: 'what an operator does to a vault itself, lazily: for commands, never for serve',
    mayImport: ['providers/*/'],
  },
  {
    room: 'providers/*/',
    lives: 'one translation each: signer, generator, importer, client, errors, config',
    mayImport: core,
  },
  {
    room: 'src/keys/',
    lives: 'key, version, lifecycle states, catalogue',
    mayImport: core,
  },
  {
    room: 'src/policy/',
    lives: 'profiles, grants, claim rules, limits; `decide` is pure',
    mayImport: [...core, 'src/keys/'],
  },
  {
    room: 'src/auth/',
    lives: 'who is calling, after proof: OIDC, API key, client certificate → `Caller`',
    mayImport: base,
  },
  {
    room: 'src/audit/',
    lives: 'records, chain, the port of the writer, verify',
    mayImport: [...base, 'src/keys/'],
  },
  {
    room: 'src/registry/server/',
    lives: 'the embedded registry, a program of its own; its `store/` has its only SQL',
    // How a SQLite file is opened, driven and migrated is the same for both programs.
    mayImport: [...core, 'src/listener/', ...sqlite],
  },
  {
    // Its files only: nobody but the composition may reach into the server.
    room: 'src/registry/*',
    lives: 'the port; contentful, embedded client, manual',
    mayImport: [...core, 'src/keys/', 'src/registry/*'],
  },
  {
    room: 'src/store/',
    lives: 'schema, migrations, queries, the audit worker; the only SQL',
    mayImport: [...base, 'src/keys/', 'src/audit/', 'src/registry/*'],
  },
  {
    room: 'src/rotation/',
    lives: '`nextStep` (pure), the tick that performs one step, lease, tasks',
    mayImport: nouns,
  },
  {
    room: 'src/service/',
    lives: 'the use cases: sign, fingerprints, import, revoke; every transport comes through here',
    mayImport: nouns,
  },
  {
    room: 'src/config/',
    lives: 'schema, loading, every complaint at once; the only `process.env`',
    // signing: the algorithm names of the schema come from the one table.
    mayImport: [...core, 'src/keys/', 'src/policy/'],
  },
  {
    room: 'src/http/',
    lives: 'the sign listener: middleware, routes, problem documents, OpenAPI',
    mayImport: [...base, 'src/listener/', 'src/auth/', 'src/service/'],
  },
  {
    room: 'src/ops/',
    lives: 'the ops listener; every metric in one file',
    mayImport: [...base, 'src/service/'],
  },
  {
    room: 'src/cli/',
    lives: 'one file per command: parse arguments, call the same services',
    mayImport: [...base, 'src/config/', 'src/service/', 'src/rotation/'],
  },
  {
    room: 'src/client/',
    lives: 'what applications import to call us',
    mayImport: [],
  },
  {
    room: 'src/compose/',
    lives:
      'the composition roots serve, job, registry: the only files of `src` that name providers',
    mayImport: ['src/', 'providers/'],
  },
  {
    room: 'src/demo/',
    lives: 'the first 60 seconds: starts the real processes, checks, prints',
    mayImport: [...base, 'src/config/', 'src/client/'],
  },
  {
    room: 'src/main.ts',
    lives: 'the bin: one `process.execve` for the thread pool and the Node flags, then the CLI',
    mayImport: [...base, 'src/compose/', 'src/cli/', 'src/config/'],
  },
  {
    room: 'terraform/testing/',
    lives: 'a provider for Terraform without a cloud behind it, and the schemas it goes by',
    mayImport: base,
  },
  {
    room: 'test/',
    lives: 'mirrors the tree; conformance, vectors, support, bench, emulators, fakes',
    mayImport: ['src/', 'providers/', 'terraform/', 'test/'],
  },
]

const anywhere = ['src/', 'providers/']
const listeners = ['src/listener/', 'src/http/', 'src/ops/', 'src/registry/server/']
// The embedded registry has a database of its own.
const stores = ['src/store/', 'src/registry/server/store/']

/** `test/` may import any package; elsewhere a package that is not listed has no room yet. */
const vendors: readonly Vendor[] = [
  { name: '@aws-sdk/*', rooms: ['providers/aws-kms/client.ts'] },
  { name: '@smithy/*', rooms: ['providers/aws-kms/client.ts'] },
  // Who is asking is a package of its own.
  { name: '@azure/identity', rooms: ['providers/azure-key-vault/credential.ts'] },
  { name: '@azure/*', rooms: ['providers/azure-key-vault/client.ts'] },
  { name: 'pkcs11js', rooms: ['providers/pkcs11/client.ts'] },
  { name: 'kysely', rooms: stores },
  { name: 'pg', rooms: ['src/store/'] },
  { name: 'node:sqlite', rooms: stores },
  { name: 'hono', rooms: listeners },
  { name: '@hono/node-server', rooms: listeners },
  { name: '@hono/zod-openapi', rooms: listeners },
  { name: 'csv-parse', rooms: ['src/service/import-csv.ts'] },
  { name: 'commander', rooms: ['src/cli/', 'src/main.ts'] },
  { name: 'jose', rooms: ['src/auth/', 'src/signing/', 'src/demo/'] },
  { name: '@noble/curves', rooms: ['src/signing/'] },
  { name: 'node-forge', rooms: ['src/signing/'] },
  { name: 'pino', rooms: ['src/lib/log.ts'] },
  { name: 'prom-client', rooms: ['src/ops/metrics.ts', 'src/ops/condition-metrics.ts'] },
  { name: 'cockatiel', rooms: ['src/lib/'] },
  { name: 'lru-cache', rooms: ['src/lib/'] },
  { name: 'rate-limiter-flexible', rooms: ['src/policy/', 'src/lib/'] },
  { name: 'yaml', rooms: ['src/config/'] },
  { name: 'zod', rooms: [...anywhere, 'terraform/testing/'] },
  { name: '@grpc/*', rooms: ['terraform/testing/'] },
  { name: '@msgpack/msgpack', rooms: ['terraform/testing/'] },
]

const escaped = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&')

/** The part of `path` that the pattern covers: the folder with its `/`, or the whole file. */
function doorOf(path: string, pattern: string): string | undefined {
  const source = `^${escaped(pattern).replaceAll('*', '[^/]+')}${pattern.endsWith('/') ? '' : '$'}`
  return new RegExp(source).exec(path)?.[0]
}

export function inside(path: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => doorOf(path, pattern) !== undefined)
}

/** No two rooms overlap, so the first match is the only one. */
export function roomOf(path: string): (Room & { readonly door: string }) | undefined {
  for (const room of rooms) {
    const door = doorOf(path, room.room)
    if (door !== undefined) return { ...room, door }
  }
  return undefined
}

export function vendorOf(name: string): Vendor | undefined {
  return vendors.find((vendor) =>
    vendor.name.endsWith('/*') ? name.startsWith(vendor.name.slice(0, -1)) : name === vendor.name,
  )
}
