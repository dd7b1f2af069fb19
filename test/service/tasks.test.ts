import { describe, expect, test } from 'vitest'
import type { ErrorCode } from '../../src/errors.ts'
import type { VersionState } from '../../src/keys/lifecycle.ts'
import type { KeyVersion } from '../../src/keys/version.ts'
import { refusedWithdrawals, tasksOf } from '../../src/service/tasks.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import { fingerprints } from '../../src/signing/fingerprint.ts'
import { keyOf, profileSettings } from '../support/grant.ts'
import { memoryKeyPair } from '../support/memory-key.ts'
import { versionOf } from '../support/store-file.ts'

const url = 'https://github.com/settings/apps/acme-bot'
const bot = keyOf('bot', {
  algorithm: algorithm('RS256'),
  profile: profileSettings['github-app'],
  registry: { kind: 'manual', system: 'github', url },
  source: 'imported',
})
const face = keyOf('face', {
  algorithm: algorithm('HS256'),
  profile: profileSettings['api-key-token'],
  source: 'imported',
})
const { publicKey } = memoryKeyPair('RS256')
const { github } = fingerprints(publicKey)

const pair = (state: VersionState, part: Partial<KeyVersion> = {}) =>
  versionOf('bot', 1, { state, algorithm: 'RS256', spki: publicKey.spki, ...part })
const secret = (n: number, state: VersionState, kid = `k-${n}`) =>
  versionOf('face', n, { state, kid, spki: undefined, knownAnswer: new Uint8Array(32).fill(n) })

const steady = { openImports: [], isDue: false, overlaps: new Map(), switching: undefined }
const of = (key: typeof bot, ...versions: readonly KeyVersion[]) =>
  tasksOf({ ...steady, key, versions })

test('a key without a version: where to make one, and how to import it', () => {
  expect(of(bot)).toEqual([
    {
      key: 'bot',
      version: undefined,
      kind: 'import',
      why: 'it has no version, and somebody else makes them',
      steps: [
        `Open ${url} and have it make a private key`,
        'Download it: it is shown once. `chmod 600` the file',
        'chancery import bot --pem FILE --expect github=… --delete-source',
      ],
      url,
      shows: undefined,
    },
  ])
  expect(of(face)[0]?.steps.at(-1)).toBe(
    'chancery import face --secret FILE --key-id ID --delete-source',
  )
  expect(of(bot, pair('retired', { withdrawnAt: 1 }))).toMatchObject([{ kind: 'import' }])
})

test('a version that nobody has compared: where to look, and for what', () => {
  expect(of(bot, pair('created'))).toEqual([
    {
      key: 'bot',
      version: 'bot@1',
      kind: 'confirm',
      why: 'nobody has compared it with what its registry shows, and it does not sign until then',
      steps: [
        `Open ${url}`,
        `Look for the key with the github fingerprint ${github}`,
        `chancery confirm bot@1 --fingerprint github=${github}`,
        `If it is not there: chancery revoke bot@1 --reason 'not the registered key'`,
      ],
      url,
      shows: { name: 'github', value: github },
    },
  ])
})

test.each(['retiring', 'revoked'] as const)(
  'a %s version: which key to delete, until somebody says that it is',
  (state) => {
    const next = versionOf('bot', 2, { state: 'active' })
    expect(of(bot, pair(state), next)).toMatchObject([
      {
        version: 'bot@1',
        kind: 'delete',
        steps: [
          `Open ${url}`,
          `Delete the key with the github fingerprint ${github} (its last key cannot be deleted)`,
          'chancery confirm bot@1 --deleted',
        ],
      },
    ])
    expect(of(bot, pair(state, { withdrawnAt: 1 }), next)).toEqual([])
  },
)

test('one that signs no more is not deleted while its tokens may be in use', () => {
  const [older, later] = [pair('retiring'), { ...pair('retiring'), n: 2 }]
  const versions = [older, later, versionOf('bot', 3, { state: 'active' })]
  const overlaps = new Map([[2, 1_800_000_000_000]])
  const steps = tasksOf({ ...steady, key: bot, versions, overlaps }).map((task) => task.steps[0])
  expect(steps).toEqual([
    `Open ${url}`,
    'Wait until 2027-01-15T08:00:00.000Z: its tokens may be in use',
  ])
})

test('a version that has had its time: the next one is to be made', () => {
  const due = tasksOf({ ...steady, key: bot, versions: [pair('active')], isDue: true })
  expect(due).toMatchObject([{ kind: 'import', why: expect.stringContaining('has had its time') }])
})

test('of two key ids that sign, the older one can go when nobody uses it', () => {
  expect(of(face, secret(1, 'active'), secret(2, 'active'))).toMatchObject([
    {
      version: 'face@1',
      kind: 'delete',
      steps: [
        'Open the portal that made it',
        'Delete the key with the id k-1',
        'chancery confirm face@1 --deleted',
      ],
    },
  ])
})

test('a secret that was regenerated left nothing to delete', () => {
  expect(of(face, secret(1, 'revoked', 'k-1'), secret(2, 'active', 'k-1'))).toEqual([])
  expect(of(face, secret(1, 'revoked', 'k-1'), secret(2, 'active', 'k-2'))).toHaveLength(1)
})

test('an import that was interrupted is to be run again, and its tag is named', () => {
  const openImports = [{ n: 3, id: '01JD0000000000000000000000' }]
  expect(tasksOf({ ...steady, key: bot, versions: [], openImports })).toEqual([
    {
      key: 'bot',
      version: 'bot@3',
      kind: 'go on',
      why: 'its import was interrupted; the vault may hold it with the tag chancery:intent=01JD0000000000000000000000',
      steps: ['Run the same `chancery import` again, with the same file'],
      url: undefined,
      shows: undefined,
    },
  ])
})

test('a version that is not proved: by whom, and what lets it sign then', () => {
  const versions = [pair('active'), versionOf('bot', 2, { state: 'published' })]
  const wait = { kind: 'proof', processes: ['a pid 7', 'b pid 8 (vault_denied)'] } as const
  const switching = { version: 'bot@2', wait }
  expect(tasksOf({ ...steady, key: bot, versions, switching })).toEqual([
    {
      key: 'bot',
      version: 'bot@2',
      kind: 'switch',
      why: 'it does not sign yet: it is not proved by a pid 7, b pid 8 (vault_denied)',
      steps: [
        'Wait a few seconds: each process that serves proves by itself that it can use it',
        'chancery rotate bot',
        'If it still waits: restart a process that has not read this configuration; the log of any other says why, under bot@2',
      ],
      url: undefined,
      shows: undefined,
    },
  ])
  const proved = { ...switching, wait: undefined }
  expect(tasksOf({ ...steady, key: bot, versions, switching: proved })).toMatchObject([
    { kind: 'switch', why: 'it can sign, and does not yet', steps: ['chancery rotate bot'] },
  ])
})

test('a version that waits while something is suspended: each flag, and the command that clears it', () => {
  const versions = [pair('active'), versionOf('bot', 2, { state: 'published' })]
  const by = [
    { kind: 'version', name: 'bot@2' },
    { kind: 'key', name: 'bot' },
    { kind: 'everything', name: '*' },
  ] as const
  const switching = { version: 'bot@2', wait: { kind: 'suspended', by } } as const
  expect(tasksOf({ ...steady, key: bot, versions, switching })).toMatchObject([
    {
      version: 'bot@2',
      kind: 'switch',
      why: 'it does not sign yet: it waits while this is suspended: version bot@2, key bot, everything',
      steps: [
        `chancery resume version bot@2 --reason 'it may sign'`,
        `chancery resume key bot --reason 'it may sign'`,
        `chancery resume everything --reason 'it may sign'`,
        'chancery rotate bot',
        `If it must never sign: chancery revoke bot@2 --reason 'why'`,
      ],
    },
  ])
})

test('a version that verifiers may not see yet: until when', () => {
  const versions = [pair('active'), versionOf('bot', 2, { state: 'published' })]
  const wait = { kind: 'propagation', until: 1_800_000_000_000 } as const
  const switching = { version: 'bot@2', wait }
  expect(tasksOf({ ...steady, key: bot, versions, switching })).toMatchObject([
    { kind: 'switch', steps: ['Wait until 2027-01-15T08:00:00.000Z', 'chancery rotate bot'] },
  ])
})

test('steady keys, and those that a program looks after, wait for nobody', () => {
  const app = { ...bot, registry: { kind: 'app', registry: 'apps', app: 'bot' } as const }
  expect(of(bot, pair('active'))).toEqual([])
  expect(of(bot, pair('published'))).toEqual([])
  expect(of(app, pair('created'))).toEqual([])
  expect(of(app, pair('revoked'), versionOf('bot', 2))).toEqual([])
  expect(of(keyOf('generated'))).toEqual([])
})

describe('a withdrawal that a registry with an API', () => {
  const reports = keyOf('reports', { registry: { kind: 'app', registry: 'apps', app: 'blog' } })
  const version = versionOf('reports', 1, { state: 'revoked' })
  const entry = { id: '01A', step: 'withdraw', key: 'reports', n: 1, at: 1 } as const
  const tasks = (failure: ErrorCode | undefined, key = reports) =>
    refusedWithdrawals(key, [version], [{ ...entry, failure }])

  test('refuses is a task, with the id that its dashboard shows', () => {
    expect(tasks('registry_refused')).toEqual([
      {
        key: 'reports',
        version: 'reports@1',
        kind: 'withdraw',
        why: 'the registry does not let go of it, and verifiers trust it as long as it is listed',
        steps: [
          'Delete the key with the id kid-of-reports-1 from the app blog of the registry apps, as its administrator',
          'chancery rotate reports',
        ],
        url: undefined,
        shows: undefined,
      },
    ])
    expect(tasks('registry_denied')[0]?.steps).toContain(
      'Put a token that may write into tokenFile',
    )
  })

  test('does not answer is none: the job asks again', () => {
    expect([
      tasks('registry_unavailable'),
      tasks(undefined),
      tasks('registry_refused', bot),
    ]).toEqual([[], [], []])
    const disabling = { ...entry, step: 'disable', failure: 'registry_refused' } as const
    expect(refusedWithdrawals(reports, [version], [disabling])).toEqual([])
  })
})
