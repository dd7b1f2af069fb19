import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openAzureVault } from '../../../providers/azure-key-vault/signer.ts'
import { ServiceError } from '../../../src/errors.ts'
import { utf8 } from '../../../src/lib/bytes.ts'
import { lingeringMax } from '../../../src/lib/lingering.ts'
import { algorithm, type AlgorithmName } from '../../../src/signing/algorithms.ts'
import { publicKeyFromSpki } from '../../../src/signing/public-key.ts'
import { signMessage } from '../../../src/signing/sign.ts'
import type { Signer } from '../../../src/signing/signer.ts'
import {
  azureConfig,
  type AzureFiles,
  azureFiles,
  azureVault,
  bareAzureSurroundings,
  heldVersion,
} from '../../support/azure-vault.ts'
import { fakeKeyVault, type FakeKeyVault } from '../../support/fake-key-vault.ts'
import type { Fault } from '../../support/fake-key-vault/fault.ts'
import type { FakeVersion } from '../../support/fake-key-vault/keys.ts'
import { deadlineWhen } from '../../support/late.ts'

const { signal } = new AbortController()
let vault: FakeKeyVault
let files: AzureFiles

beforeAll(async () => {
  vault = await fakeKeyVault()
  files = azureFiles(vault)
})

afterAll(async () => {
  await vault[Symbol.asyncDispose]()
  rmSync(files.directory, { recursive: true })
})

const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
] as const satisfies readonly AlgorithmName[]

/** One of each family, for what does not depend on the hash. */
const families = ['RS256', 'PS384', 'ES512'] as const

const open = async (resource: string, name: AlgorithmName, part = {}) =>
  (await azureVault(azureConfig(vault, files, part))).open({ resource, algorithm: name }, signal)

async function opened(name: AlgorithmName, part = {}) {
  const key = heldVersion(vault, name)
  const signer = await open(key.id, name, part)
  const spki = await signer.publicKey(signal)
  return { key, signer, sign: signing(name, signer, spki) }
}

function signing(name: AlgorithmName, signer: Signer, spki: Uint8Array | undefined) {
  const publicKey = spki && publicKeyFromSpki(spki)
  const signingKey = { signer, algorithm: algorithm(name), publicKey }
  return (until = signal) => signMessage(signingKey, utf8('a message'), until)
}

/** @returns the code; the message is looked at whatever it is. */
async function codeOf(asked: Promise<unknown>): Promise<string> {
  const error = await asked.then(
    () => new Error('nothing was refused'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof ServiceError)) throw error
  expect(vault.internals.filter((text) => error.message.includes(text))).toEqual([])
  return error.code
}

/** What an administrator, or time, makes of a version. */
const states: readonly (readonly [what: string, change: (key: FakeVersion) => void])[] = [
  ['is disabled', (key) => (key.enabled = false)],
  ['has expired', (key) => (key.expiresSeconds = 1_000_000_000)],
  ['is not valid yet', (key) => (key.notBeforeSeconds = 4_000_000_000)],
  ['is no longer for signing', (key) => (key.keyOps = ['verify'])],
  ['is gone', (key) => (key.hiddenReads = 1_000)],
]

describe.each(algorithms)('[C12] %s', (name) => {
  test.each(states)('of a key that %s signs no more: vault_key_unusable', async (_, change) => {
    const { key, sign } = await opened(name)
    change(key)
    expect(await codeOf(sign())).toBe('vault_key_unusable')
  })

  test.each(states)('of a key that %s is not opened: vault_key_unusable', async (_, change) => {
    const key = heldVersion(vault, name)
    change(key)
    expect(await codeOf(open(key.id, name))).toBe('vault_key_unusable')
  })
})

const altered = (part: Readonly<Record<string, unknown>>): Fault => ({
  kind: 'alter',
  change: (answer) => ({ ...answer, ...part }),
})

const faults: readonly (readonly [what: string, fault: Fault, code: string])[] = [
  ['throttling', { kind: 'throttle', retryAfterSeconds: 3_600 }, 'vault_throttled'],
  ['a proxy’s HTML 502', { kind: 'html', status: 502 }, 'vault_unavailable'],
  ['a proxy’s HTML 503', { kind: 'html', status: 503 }, 'vault_unavailable'],
  ['a proxy’s HTML 404', { kind: 'html', status: 404 }, 'vault_unavailable'],
  ['a proxy’s HTML 403', { kind: 'html', status: 403 }, 'vault_denied'],
  ['a proxy’s HTML 200', { kind: 'html', status: 200 }, 'signature_invalid'],
  [
    'somebody who sends it elsewhere',
    { kind: 'redirect', to: 'https://127.0.0.1:1' },
    'vault_unavailable',
  ],
  ['JSON that breaks off', { kind: 'broken-json' }, 'vault_unavailable'],
  ['a reset', { kind: 'reset' }, 'vault_unavailable'],
  ['a lost reply', { kind: 'lost-reply' }, 'vault_unavailable'],
  ['an answer without a key', altered({ kid: undefined }), 'signature_invalid'],
  ['an answer without a signature', altered({ value: undefined }), 'signature_invalid'],
  ['an empty signature', altered({ value: '' }), 'signature_invalid'],
  ['a signature that is no base64url', altered({ value: 'a+b/' }), 'signature_invalid'],
]

describe.each(families)('[C9] [C11] %s', (name) => {
  test.each(faults)('meets %s: %o is %s, after one request', async (_, fault, code) => {
    const { sign } = await opened(name)
    const before = vault.requests.length
    vault.next(fault, { action: 'Sign' })
    expect(await codeOf(sign())).toBe(code)
    expect(vault.requests.length).toBe(before + 1)
    expect(await sign()).not.toHaveLength(0)
  })

  test('[C7] meets another version’s answer: signature_invalid', async () => {
    const { key, sign } = await opened(name)
    const { id } = heldVersion(vault, name)
    expect(id).not.toBe(key.id)
    vault.next(altered({ kid: id }), { action: 'Sign' })
    expect(await codeOf(sign())).toBe('signature_invalid')
  })
})

const held = ['silence', 'headers-only', 'trickle'] as const

const asked = () => vault.count('Sign')

describe.each(families)('[C10] %s', (name) => {
  test.each(held)(
    'meets %s: it ends at its deadline, and its only connection is free',
    async (kind) => {
      const { sign } = await opened(name, { concurrency: 1 })
      const before = asked()
      vault.next({ kind }, { action: 'Sign' })
      const late = deadlineWhen(() => asked() > before)
      expect(await codeOf(sign(late))).toBe('deadline_exceeded')
      expect(await sign()).not.toHaveLength(0)
    },
  )

  test('meets a full pool: what waits for a connection ends at its deadline, too', async () => {
    const { sign } = await opened(name, { concurrency: 1 })
    const connections = 1 + lingeringMax(1)
    const before = asked()
    vault.next({ kind: 'silence' }, { action: 'Sign', times: connections })
    const late = deadlineWhen(() => asked() === before + connections)
    const all = Array.from({ length: connections + 1 }, () => codeOf(sign(late)))
    expect(new Set(await Promise.all(all))).toEqual(new Set(['deadline_exceeded']))
    expect(await sign()).not.toHaveLength(0)
  })
})

/** What Key Vault may answer: status, code and inner code, and what it is to us. */
const errors = [
  [403, 'Forbidden', 'ForbiddenByRbac', 'vault_denied'],
  [403, 'Forbidden', 'ForbiddenByPolicy', 'vault_denied'],
  [403, 'Forbidden', 'AccessDenied', 'vault_denied'],
  [403, 'Forbidden', 'ForbiddenByFirewall', 'vault_denied'],
  [403, 'Forbidden', 'ForbiddenByConnection', 'vault_denied'],
  [403, 'Forbidden', undefined, 'vault_denied'],
  [403, 'Forbidden', 'SomethingNew', 'vault_denied'],
  [403, 'Forbidden', 'KeyDisabled', 'vault_key_unusable'],
  [403, 'Forbidden', 'KeyExpired', 'vault_key_unusable'],
  [403, 'Forbidden', 'KeyNotYetValid', 'vault_key_unusable'],
  [404, 'KeyNotFound', undefined, 'vault_key_unusable'],
  [404, 'SomethingElseNotFound', undefined, 'vault_unavailable'],
  [409, 'Conflict', 'ObjectIsDeletedButRecoverable', 'vault_key_unusable'],
  [409, 'Conflict', 'ObjectIsBeingDeleted', 'vault_key_unusable'],
  [409, 'Conflict', undefined, 'vault_unavailable'],
  [400, 'BadParameter', undefined, 'vault_key_unusable'],
  [400, 'toString', undefined, 'vault_unavailable'],
  [429, 'Throttled', undefined, 'vault_throttled'],
  [429, 'SomethingNew', undefined, 'vault_throttled'],
  [500, 'InternalServerError', undefined, 'vault_unavailable'],
  [503, 'ServiceUnavailable', undefined, 'vault_unavailable'],
] as const

test.each(errors)('[C11] %i %s %s is %s', async (status, code, inner, expected) => {
  const { key, sign } = await opened('ES256')
  const fault: Fault = { kind: 'error', status, code, ...(inner === undefined ? {} : { inner }) }
  vault.next(fault, { action: 'Sign' })
  expect(await codeOf(sign())).toBe(expected)
  vault.next(fault, { action: 'GetKey' })
  expect(await codeOf(open(key.id, 'ES256'))).toBe(expected)
})

test.each([
  [7, 7_000],
  [3_600, undefined],
])('throttling for %i s is told as %s ms: an hour is not a vault’s', async (seconds, ms) => {
  const { sign } = await opened('ES256')
  vault.next({ kind: 'throttle', retryAfterSeconds: seconds }, { action: 'Sign' })
  const failed: unknown = await sign().catch((error: unknown) => error)
  expect(failed).toMatchObject({ code: 'vault_throttled' })
  expect(failed).toHaveProperty('details', ms === undefined ? {} : { retryAfterMs: ms })
})

test.each([
  [
    'operator',
    ': allow Microsoft.KeyVault/vaults/keys/read',
    ': allow Microsoft.KeyVault/vaults/keys/sign/action',
  ],
  ['caller', '', ''],
] as const)('an %s is told this of what is denied: "%s", "%s"', async (reader, opens, signs) => {
  const { id: resource } = heldVersion(vault, 'ES256')
  const surroundings = { ...bareAzureSurroundings, reader }
  const reading = await openAzureVault(azureConfig(vault, files), surroundings)
  const signer = await reading.open({ resource, algorithm: 'ES256' }, signal)
  const sign = signing('ES256', signer, await signer.publicKey(signal))
  const denied = (rest: string) => ({
    code: 'vault_denied',
    message: `The vault denied the request${rest}`,
    cause: expect.objectContaining({ name: 'RestError', statusCode: 403 }),
  })
  vault.world.denied.add('sign/action').add('read')
  try {
    await expect(sign()).rejects.toMatchObject(denied(signs))
    const opening = reading.open({ resource, algorithm: 'ES256' }, signal)
    await expect(opening).rejects.toMatchObject(denied(opens))
  } finally {
    vault.world.denied.clear()
  }
})

test('a certificate that nobody vouches for: vault_unavailable', async () => {
  const { id } = heldVersion(vault, 'ES256')
  const other = await fakeKeyVault()
  const config = azureConfig(vault, { ...files, ...azureFiles(other, files.directory) })
  const opening = (await azureVault(config)).open({ resource: id, algorithm: 'ES256' }, signal)
  expect(await codeOf(opening)).toBe('vault_unavailable')
  await other[Symbol.asyncDispose]()
  azureFiles(vault, files.directory)
})

test('nobody listens: vault_unavailable', async () => {
  const gone = await fakeKeyVault()
  const { id } = heldVersion(gone, 'ES256')
  await gone[Symbol.asyncDispose]()
  const opening = (await azureVault(azureConfig(gone, files))).open(
    { resource: id, algorithm: 'ES256' },
    signal,
  )
  expect(await codeOf(opening)).toBe('vault_unavailable')
})
