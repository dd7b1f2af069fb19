import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { azureSignsNot } from '../../providers/azure-key-vault/config.ts'
import { openAzureVault } from '../../providers/azure-key-vault/signer.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { algorithmNames, type AlgorithmName } from '../../src/signing/algorithms.ts'
import type { Vault } from '../../src/signing/signer.ts'
import {
  type Came,
  describeFaults,
  type FaultRow,
  type FaultWorld,
} from '../conformance/fault-suite.ts'
import {
  azureConfig,
  type AzureFiles,
  azureFiles,
  bareAzureSurroundings,
  heldVersion,
} from '../support/azure-vault.ts'
import { fakeKeyVault, type FakeKeyVault } from '../support/fake-key-vault.ts'
import type { Fault } from '../support/fake-key-vault/fault.ts'
import type { FakeVersion } from '../support/fake-key-vault/keys.ts'
import { patience } from '../support/signing-service.ts'

let azure: FakeKeyVault
let files: AzureFiles
let vault: Vault

beforeAll(async () => {
  azure = await fakeKeyVault()
  files = azureFiles(azure)
  vault = await openAzureVault(azureConfig(azure, files), { ...bareAzureSurroundings, clock })
})
afterAll(async () => {
  await azure[Symbol.asyncDispose]()
  rmSync(files.directory, { recursive: true })
})

/** A token that is refused is given up at most every 10 s: rows are as far apart. */
let begunMs = 0
const clock = { now: () => systemClock.now(), monotonicMs: () => begunMs }

type World = FaultWorld & { readonly key: FakeVersion }
type Row = FaultRow<World>

async function world(name: AlgorithmName): Promise<World> {
  const key = heldVersion(azure, name)
  const untouched = { ...key }
  begunMs += 10_000
  return {
    key,
    signer: await vault.open({ resource: key.id, algorithm: name }, patience),
    mend: () => void Object.assign(key, untouched),
    tries: () => azure.count('Sign'),
    internals: [...azure.internals, 'azure', 'Azure', 'proxy', 'html', 'secret-name', key.version],
  }
}

const others: readonly string[] = azureSignsNot
const algorithms = algorithmNames.filter((name) => !others.includes(name))

/** One of each family, for what does not depend on the hash. */
const families = ['RS256', 'PS384', 'ES512'] as const

const once = { status: 503, tries: 1 } as const
const twice = { status: 503, retryAfter: '1', tries: 2 } as const
const unusable = { ...once, code: 'vault_key_unusable' } as const
const denied = { ...once, code: 'vault_denied' } as const
const throttled = { ...twice, code: 'vault_throttled' } as const
const unavailable = { ...twice, code: 'vault_unavailable' } as const
const invalid = { status: 502, tries: 1, code: 'signature_invalid' } as const
const healed = { status: 200, tries: 2 } as const
const late = { status: 504, code: 'deadline_exceeded' } as const

/** What an administrator, or time, makes of a version. */
const states: readonly (readonly [what: string, change: (key: FakeVersion) => void])[] = [
  ['is disabled', (key) => (key.enabled = false)],
  ['has expired', (key) => (key.expiresSeconds = 1_000_000_000)],
  ['is not valid yet', (key) => (key.notBeforeSeconds = 4_000_000_000)],
  ['is no longer for signing', (key) => (key.keyOps = ['verify'])],
  ['is not for this algorithm', (key) => Object.assign(key, { kty: 'EC', crv: 'P-256K' })],
  ['is gone', (key) => (key.hiddenReads = 1)],
]

const error = (status: number, code: string, inner?: string): Fault => ({
  kind: 'error',
  status,
  code,
  ...(inner === undefined ? {} : { inner }),
})
const altered = (part: Readonly<Record<string, unknown>>): Fault => ({
  kind: 'alter',
  change: (answer) => ({ ...answer, ...part }),
})

/** What another try could mend, and which is there a second time. */
const passing: readonly (readonly [what: string, fault: Fault, came: Came])[] = [
  ['throttled', { kind: 'throttle', retryAfterSeconds: 3_600 }, throttled],
  ['too many requests', error(429, 'SomethingNew'), throttled],
  ['a proxy’s HTML 502', { kind: 'html', status: 502 }, unavailable],
  ['a proxy’s HTML 503', { kind: 'html', status: 503 }, unavailable],
  ['a proxy’s HTML 404', { kind: 'html', status: 404 }, unavailable],
  ['a redirect', { kind: 'redirect', to: 'https://127.0.0.1:1' }, unavailable],
  ['JSON that breaks off', { kind: 'broken-json' }, unavailable],
  ['a reset', { kind: 'reset' }, unavailable],
  ['a lost reply', { kind: 'lost-reply' }, unavailable],
  ['a fault of its own', error(500, 'InternalServerError'), unavailable],
  ['an error that nobody knows', error(409, 'SomethingNew'), unavailable],
]

/** Those of them that leave the key time to become another. */
const meanwhile = passing.filter(([, { kind }]) => ['throttle', 'html', 'reset'].includes(kind))

/** What another try would answer the same. */
const lasting: readonly (readonly [what: string, fault: Fault, came: Came])[] = [
  ['no permission', error(403, 'Forbidden', 'ForbiddenByRbac'), denied],
  ['a policy against it', error(403, 'Forbidden', 'ForbiddenByPolicy'), denied],
  ['a firewall', error(403, 'Forbidden', 'ForbiddenByFirewall'), denied],
  ['a proxy’s HTML 403', { kind: 'html', status: 403 }, denied],
  ['a key that is gone', error(404, 'KeyNotFound'), unusable],
  ['a name that is deleted', error(409, 'Conflict', 'ObjectIsDeletedButRecoverable'), unusable],
  ['a key for something else', error(403, 'Forbidden', 'KeyOperationForbidden'), unusable],
  ['what it does not understand', error(400, 'BadParameter'), unusable],
  ['a proxy’s HTML 200', { kind: 'html', status: 200 }, invalid],
  ['another version’s answer', altered({ kid: 'https://127.0.0.1/keys/a/b' }), invalid],
  ['an answer without a key', altered({ kid: undefined }), invalid],
  ['no signature', altered({ value: undefined }), invalid],
  ['an empty signature', altered({ value: '' }), invalid],
  ['a signature that is no base64url', altered({ value: 'a+b/' }), invalid],
]

const held = ['silence', 'headers-only', 'trickle'] as const

const inStates: readonly Row[] = algorithms.flatMap((name) =>
  states.map(([what, change]) => ({
    algorithm: name,
    what: `the key ${what}`,
    arrange: ({ key }: World) => change(key),
    came: unusable,
  })),
)

const next = (fault: Fault, times = 1) => azure.next(fault, { action: 'Sign', times })

const withFaults: readonly Row[] = families.flatMap((name) => {
  const row = (what: string, came: Came, arrange: Row['arrange']): Row => ({
    algorithm: name,
    what,
    came,
    arrange,
  })
  return [
    ...passing.map(([what, fault, came]) => row(`${what}, twice`, came, () => next(fault, 2))),
    ...passing.map(([what, fault]) => row(`${what}, once`, healed, () => next(fault))),
    ...lasting.map(([what, fault, came]) => row(what, came, () => next(fault))),
    ...meanwhile.flatMap(([what, fault]) =>
      states.map(([state, change]) =>
        row(`${what}, and then the key ${state}`, { ...unusable, tries: 2 }, ({ key }) => {
          next(fault)
          change(key)
        }),
      ),
    ),
    ...held.map((kind) => row(kind, { ...late, tries: 1 }, () => next({ kind }))),
    ...held.map((kind) =>
      row(`a reset, and then ${kind}`, { ...late, tries: 2 }, () => {
        next({ kind: 'reset' })
        next({ kind })
      }),
    ),
    // Whoever brings no good token is told so before anything is signed: the next one is the same try.
    row('a token refused, once', healed, () => next({ kind: 'refuse-token' })),
    row('a token refused, twice', { ...denied, tries: 2 }, () => next({ kind: 'refuse-token' }, 2)),
  ]
})

const rows = [...inStates, ...withFaults]

describeFaults({ provider: 'Azure Key Vault', rows, world })

test('no row asks for more than two tries, and there are rows enough', () => {
  expect(rows.filter(({ came }) => came.tries > 2)).toEqual([])
  expect(rows.length).toBeGreaterThanOrEqual(60)
})
