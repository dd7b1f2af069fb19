import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { confirm } from '../../src/cli/confirm.ts'
import type { ImportReport } from '../../src/cli/host.ts'
import { importFile } from '../../src/cli/import.ts'
import { showKey } from '../../src/cli/keys.ts'
import { revoke } from '../../src/cli/revoke.ts'
import { ServiceError } from '../../src/errors.ts'
import { authority } from '../support/certificates.ts'
import { told } from '../support/told-command.ts'

/** A vault's fault is told with its remedy by each command that goes on after it: in the text and in the document. */

const cause = Object.assign(new Error('arn:aws:kms:… said no'), { name: 'AccessDeniedException' })
const denied = new ServiceError(
  'vault_denied',
  'The vault denied the request: allow kms:DisableKey',
  { cause },
)
const ofDenied = 'The vault denied the request: allow kms:DisableKey (AccessDeniedException)'

const unreachable = new ServiceError('vault_unavailable', 'The vault cannot be reached', {
  cause: Object.assign(new Error('connect 10.0.0.7:443'), { code: 'ECONNREFUSED' }),
})
const ofUnreachable =
  'The vault cannot be reached: nothing listens at the vault’s address; check the region, URL or endpoint in its configuration (ECONNREFUSED)'

const late = new ServiceError(
  'deadline_exceeded',
  'The deadline passed before the answer was ready',
)

test.each([
  [denied, ofDenied],
  [unreachable, ofUnreachable],
  [late, `${late.message}: try again; if it goes on, look at the vault and at the way to it`],
])('revoke, of a vault that does not disable: %s', async (error, message) => {
  const revoked = {
    version: 'documents@1',
    before: 'active',
    promoted: undefined,
    signing: undefined,
    promotionError: undefined,
    isConfigured: true,
    nothingAfter: Date.UTC(2026, 10, 21),
    withdrawal: { verdict: 'none' },
    disabling: { verdict: 'pending', error },
  } as const
  const wish = { version: 'documents@1', reason: 'a test' }
  expect(
    await told({ revoke: async () => revoked }, (context) => revoke(context, wish)),
  ).toMatchObject({
    exitCode: 4,
    lines: [
      expect.stringContaining('documents@1 is revoked'),
      expect.stringContaining('documents has no version that signs now'),
      `It is not yet disabled in its vault: ${message}.`,
      '`chancery rotate` tries it again, each time that it runs.',
    ],
    document: { disabling: { verdict: 'pending', code: error.code, message } },
  })
})

test.each([
  ['documents@2', 'documents@2', 'documents@2 signs now.'],
  [undefined, 'documents@2', 'documents@2 signs as before.'],
  [undefined, undefined, expect.stringContaining('documents has no version that signs now')],
])(
  'revoke, of a version that signed: promoted %s, signing %s',
  async (promoted, signing, words) => {
    const done = { verdict: 'done' } as const
    const parts = { withdrawal: done, disabling: done, nothingAfter: 0 }
    const next = { promoted, signing, promotionError: undefined, isConfigured: true }
    const revoked = { version: 'documents@1', before: 'active', ...next, ...parts } as const
    const wish = { version: 'documents@1', reason: 'a test' }
    const { lines } = await told({ revoke: async () => revoked }, (context) =>
      revoke(context, wish),
    )
    expect(lines.slice(1, 2)).toEqual([words])
  },
)

test('revoke, of a registry that is late: nobody is sent to look at a vault', async () => {
  const revoked = {
    version: 'blog@1',
    before: 'retiring',
    promoted: undefined,
    signing: undefined,
    promotionError: undefined,
    isConfigured: true,
    nothingAfter: 0,
    withdrawal: { verdict: 'pending', error: late },
    disabling: { verdict: 'done' },
  } as const
  const wish = { version: 'blog@1', reason: 'a test' }
  const { message } = late
  expect(
    await told({ revoke: async () => revoked }, (context) => revoke(context, wish)),
  ).toMatchObject({
    exitCode: 4,
    lines: expect.arrayContaining([`It is not yet withdrawn from its registry: ${message}.`]),
    document: { withdrawal: { verdict: 'pending', code: 'deadline_exceeded', message } },
  })
})

test('confirm', async () => {
  const report = {
    version: 'bot@1',
    before: 'retiring',
    after: 'retired',
    activationError: denied,
    waitsFor: undefined,
  } as const
  const besides = `What else is due for bot failed: ${ofDenied}. Run \`chancery rotate bot\``
  expect(
    await told({ confirmDeleted: async () => report }, (context) =>
      confirm(context, 'bot@1', { deleted: true }),
    ),
  ).toEqual({
    exitCode: 4,
    lines: ['bot@1 is deleted at its registry: it was retiring, and is retired', besides],
    document: {
      version: 'bot@1',
      before: 'retiring',
      after: 'retired',
      waitsFor: null,
      activation: { code: 'vault_denied', message: ofDenied },
    },
  })
})

test.each([
  ['created', unreachable, `It does not sign yet: ${ofUnreachable}. Run \`chancery rotate seal\``],
  ['active', denied, `What else is due for seal failed: ${ofDenied}. Run \`chancery rotate seal\``],
])('import, of a version that is %s then', async (state, activationError, words) => {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-told-'))
  const file = join(directory, 'seal.pem')
  writeFileSync(file, authority('an app').issue({ keyType: 'P-256' }).key, { mode: 0o600 })
  const report: ImportReport = {
    version: 'seal@2',
    state,
    custody: 'kms-imported',
    kid: 'kid',
    fingerprints: {},
    registry: undefined,
    change: 'none',
    compared: [],
    isNew: true,
    replaced: undefined,
    nothingAfter: undefined,
    orphans: [],
    activationError,
    waitsFor: undefined,
  }
  const options = { pem: file, secretEncoding: 'utf8', expect: [] } as const
  const made = await told({ import: async () => report }, (context) =>
    importFile(context, 'seal', options),
  )
  rmSync(directory, { recursive: true })
  const [, message = ''] = /: (The vault .*)\. Run/.exec(words) ?? []
  expect(made).toMatchObject({
    exitCode: 4,
    lines: expect.arrayContaining([words]),
    document: { activation: { code: activationError.code, message } },
  })
})

test('keys show', async () => {
  const listing = {
    key: 'documents',
    vault: 'aws',
    alg: 'ES256',
    purpose: 'bytes',
    profile: undefined,
    source: 'generated',
    methods: [],
    configured: true,
    versions: [],
  }
  const down = new ServiceError('registry_unavailable', 'The registry cannot be reached')
  const job = {
    listKeys: async () => [listing],
    vaultFailures: async () => [unreachable],
    sync: async () => [{ key: 'documents', error: down }],
  }
  expect(await told(job, (context) => showKey(context, 'documents', {}))).toMatchObject({
    lines: [
      expect.stringMatching(/^documents /),
      `  vault: ${ofUnreachable}`,
      '  registry: The registry cannot be reached',
    ],
    document: {
      vaultFailures: [{ code: 'vault_unavailable', message: ofUnreachable }],
      registry: { verdict: 'failed', code: 'registry_unavailable', message: down.message },
    },
  })
})
