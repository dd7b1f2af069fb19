import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openAzureVault } from '../../../providers/azure-key-vault/signer.ts'
import { heldTokens } from '../../../providers/azure-key-vault/tokens.ts'
import { utf8 } from '../../../src/lib/bytes.ts'
import { fetchMsMax } from '../../../src/lib/held-credential.ts'
import { algorithm } from '../../../src/signing/algorithms.ts'
import {
  azureConfig,
  type AzureFiles,
  azureFiles,
  azureVault,
  bareAzureSurroundings,
  heldVersion,
} from '../../support/azure-vault.ts'
import { fakeKeyVault, type FakeKeyVault } from '../../support/fake-key-vault.ts'
import { clientId, tenant } from '../../support/fake-key-vault/tokens.ts'
import type { Fault } from '../../support/fake-key-vault/fault.ts'
import { fakeTime } from '../../support/fake-time.ts'
import { manualClock } from '../../support/manual-clock.ts'
import { settle } from '../../support/pending.ts'

const { signal } = new AbortController()
const row = algorithm('ES256')
const input = { message: utf8('a message'), digest: new Uint8Array(32) }
let vault: FakeKeyVault
let files: AzureFiles

beforeEach(async () => {
  vault = await fakeKeyVault()
  files = azureFiles(vault)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await vault[Symbol.asyncDispose]()
  rmSync(files.directory, { recursive: true })
})

const open = async (part = {}, config = azureConfig(vault, files, part)) => {
  const opened = await azureVault(config)
  return opened.open({ resource: heldVersion(vault, 'ES256').id, algorithm: 'ES256' }, signal)
}

const denied = {
  code: 'vault_denied',
  message: 'The vault does not accept the credentials: check them, and the clock',
}
const noToken = {
  code: 'vault_denied',
  message: 'No token for the vault can be had: check its credential',
}

describe('[C8] the vault’s challenge', () => {
  test('one request without a token; then neither opening nor signing costs another', async () => {
    const opened = await azureVault(azureConfig(vault, files))
    for (let at = 0; at < 3; at += 1) {
      const { id } = heldVersion(vault, 'ES256')
      const signer = await opened.open({ resource: id, algorithm: 'ES256' }, signal)
      await Promise.all(Array.from({ length: 20 }, () => signer.sign(input, row, signal)))
    }
    expect(vault.challenges()).toBe(1)
    expect(vault.count('Sign')).toBe(60)
    expect(vault.count('GetKey')).toBe(3)
    expect(vault.identities.asked).toBe(1)
  })

  test('a cold start of many at once, its challenges in the other order: nothing is lost', async () => {
    const opened = await azureVault(azureConfig(vault, files))
    vault.turnAround(5)
    const versions = Array.from({ length: 5 }, () => heldVersion(vault, 'ES256'))
    const signers = await Promise.all(
      versions.map(({ id }) => opened.open({ resource: id, algorithm: 'ES256' }, signal)),
    )
    expect(vault.challenges()).toBe(5)
    expect(vault.identities.asked).toBe(1)
    const signatures = await Promise.all(signers.map((one) => one.sign(input, row, signal)))
    expect(signatures.map(({ length }) => length)).toEqual([64, 64, 64, 64, 64])
    const bodies = vault.requests.filter(({ action }) => action === 'Sign')
    expect(bodies.every(({ body }) => typeof body === 'object')).toBe(true)
  })

  test('a challenge for tokens of another kind is not followed', async () => {
    vault.next({ kind: 'challenge', resource: 'https://graph.microsoft.com' }, { isBare: true })
    await expect(open()).rejects.toMatchObject(denied)
    // Not even asked for: the emulator would have had a token that is good elsewhere.
    expect(vault.identities.asked).toBe(0)
  })

  test.each<readonly [string, Fault]>([
    ['for tokens of another kind', { kind: 'challenge', resource: 'https://graph.microsoft.com' }],
    ['of another scheme', { kind: 'foreign-challenge', words: 'Basic realm="a proxy"' }],
    ['without a resource', { kind: 'foreign-challenge', words: 'Bearer realm=""' }],
    ['that nobody can read', { kind: 'foreign-challenge', words: 'Bearer resource="' }],
  ])('one %s is not remembered: the vault is asked again', async (_, fault) => {
    const opened = await azureVault(azureConfig(vault, files))
    const { id: resource } = heldVersion(vault, 'ES256')
    const openAgain = () => opened.open({ resource, algorithm: 'ES256' }, signal)
    vault.next(fault, { isBare: true })
    await expect(openAgain()).rejects.toMatchObject(denied)
    expect((await openAgain()).custody).toBe('kms-generated')
    expect(vault.challenges()).toBe(2)
  })

  test('one for a tenant that gives no token is not remembered, either', async () => {
    const opened = await azureVault(azureConfig(vault, files))
    const { id: resource } = heldVersion(vault, 'ES256')
    const openAgain = () => opened.open({ resource, algorithm: 'ES256' }, signal)
    vault.identities.refusal = { status: 401, error: 'invalid_client' }
    for (let at = 0; at < 3; at += 1) await expect(openAgain()).rejects.toMatchObject(noToken)
    expect(vault.challenges()).toBe(3)
  })
})

describe('every class of credential', () => {
  test('workload-identity: the token file’s content is what proves it', async () => {
    const { tokenFile } = files
    const part = { credential: 'workload-identity', tenantId: tenant, clientId, tokenFile }
    expect((await open(part)).custody).toBe('kms-generated')
    writeFileSync(tokenFile, 'another-token')
    await expect(open(part)).rejects.toMatchObject(noToken)
  })

  test('managed-identity: the endpoint of the environment, with its header', async () => {
    vi.stubEnv('IDENTITY_ENDPOINT', vault.identityEndpoint)
    vi.stubEnv('IDENTITY_HEADER', vault.identities.identityHeader)
    vault.identities.refusal = { status: 400, error: 'no identity' }
    await expect(open({ credential: 'managed-identity' })).rejects.toMatchObject(noToken)
    vault.identities.refusal = undefined
    const signer = await open({ credential: 'managed-identity' })
    expect(await signer.sign(input, row, signal)).toHaveLength(64)
    expect(vault.identities.asked).toBe(2)
  })

  test('azure-cli: the command of whoever is logged in', async () => {
    vi.stubEnv('PATH', files.directory)
    const script = join(files.directory, 'az')
    const token = { accessToken: 'a-cli-token', expires_on: 4_000_000_000 }
    writeFileSync(script, `#!/bin/sh\necho '${JSON.stringify(token)}'\n`, { mode: 0o700 })
    const resource = 'https://vault.azure.net'
    vault.identities.tokens.set('a-cli-token', { resource, expiresAt: 4e12 })
    expect((await open({ credential: 'azure-cli', tenantId: tenant })).custody).toBe(
      'kms-generated',
    )
    writeFileSync(script, '#!/bin/sh\necho "Please run az login" >&2\nexit 1\n')
    await expect(open({ credential: 'azure-cli' })).rejects.toMatchObject(noToken)
  })

  test.each([
    [401, 'invalid_client', noToken],
    [400, 'unauthorized_client', noToken],
    [503, 'temporarily_unavailable', { code: 'vault_unavailable' }],
  ])('an authority that answers %i %s', async (status, error, expected) => {
    vault.identities.refusal = { status, error }
    await expect(open()).rejects.toMatchObject(expected)
    expect(vault.requests).toEqual([])
  })

  test('an authority that is not there: vault_unavailable', async () => {
    const gone = await fakeKeyVault()
    await gone[Symbol.asyncDispose]()
    const opening = open({}, azureConfig(vault, files, { authorityHost: gone.origin }))
    // The authority is where the vault says; what is configured is only whom MSAL would ask.
    await expect(opening).rejects.toMatchObject({ code: 'vault_unavailable' })
  })

  test.each([
    ['is not there', () => rmSync(files.certificateFile), 'does not exist'],
    [
      'is open to others',
      () => {
        rmSync(files.certificateFile)
        writeFileSync(files.certificateFile, 'x', { mode: 0o644 })
      },
      'is open to other users',
    ],
    ['has no key', () => writeFileSync(files.certificateFile, vault.ca), 'with its private key'],
  ])('a certificate file that %s: config_invalid', async (_, change, words) => {
    change()
    await expect(open()).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(words),
    })
  })
})

const managed = { credential: 'managed-identity' }

test.each([
  ['HTTPS_PROXY', {}],
  ['https_proxy', {}],
  ['ALL_PROXY', {}],
  ['AZURE_LOG_LEVEL', {}],
  ['AZURE_POD_IDENTITY_AUTHORITY_HOST', {}],
  ['AZURE_TOKEN_CREDENTIALS', {}],
  ['AZURE_AUTHORITY_HOST', {}],
  ['AZURE_FEDERATED_TOKEN_FILE', managed],
])('[C20] %s is refused by its name', async (name, part) => {
  const environment = (asked: string) => (asked === name ? 'https://evil.example' : undefined)
  const opening = openAzureVault(azureConfig(vault, files, part), {
    ...bareAzureSurroundings,
    environment,
  })
  await expect(opening).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining(`${name.toUpperCase()} is set`),
  })
})

test('[C20] what the webhook of workload identities sets is no stray', async () => {
  const set: Readonly<Record<string, string>> = {
    AZURE_AUTHORITY_HOST: `${vault.origin}/`,
    AZURE_CLIENT_ID: 'another',
    AZURE_TENANT_ID: 'another',
    AZURE_FEDERATED_TOKEN_FILE: '/another',
  }
  const environment = (name: string) => set[name]
  const opening = openAzureVault(azureConfig(vault, files), {
    ...bareAzureSurroundings,
    environment,
  })
  await expect(opening).resolves.toBeDefined()
})

test('[C20] a proxy of the environment is not used where nobody refused it', async () => {
  vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:1')
  expect((await open()).custody).toBe('kms-generated')
})

/** A source of tokens that live this long, and are counted. */
function source(lifeMs: number, clock = manualClock()) {
  const state = { fetched: 0, fails: false, hangs: false, opened: 0 }
  const opening = () => {
    state.opened += 1
    return {
      async getToken() {
        state.fetched += 1
        if (state.fails) throw new Error('the source is down')
        if (state.hangs) return new Promise<never>(() => {})
        return { token: `t${state.fetched}`, expiresOnTimestamp: clock.now() + lifeMs }
      },
    }
  }
  const tokens = heldTokens(opening, clock, ['a-scope', 'another-scope'])
  const ask = async () => (await tokens.getToken('a-scope', {}))?.token
  return { clock, state, tokens, ask }
}

const minuteMs = 60_000

describe('[C21] tokens are held', () => {
  test('short-lived ones are fetched once, and again at half their life', async () => {
    const { clock, state, ask } = source(minuteMs)
    for (let at = 0; at < 50; at += 1) await ask()
    expect(state.fetched).toBe(1)
    clock.advance(minuteMs / 2)
    expect(await ask()).toBe('t1') // and nobody waits for the next
    await settle()
    expect(await ask()).toBe('t2')
  })

  test('long-lived ones are fetched again five minutes before their end', async () => {
    const { clock, ask } = source(60 * minuteMs)
    await ask()
    clock.advance(55 * minuteMs - 1)
    expect(await ask()).toBe('t1')
    clock.advance(1)
    await ask()
    await settle()
    expect(await ask()).toBe('t2')
  })

  test('all who ask at the same time share one fetch', async () => {
    const { state, ask } = source(minuteMs)
    await Promise.all(Array.from({ length: 64 }, () => ask()))
    expect(state.fetched).toBe(1)
  })

  test('a source that is down is not noticed before the last one ends', async () => {
    const { clock, state, ask } = source(minuteMs)
    await ask()
    state.fails = true
    clock.advance(minuteMs - 1)
    expect(await ask()).toBe('t1')
    clock.advance(1)
    await expect(ask()).rejects.toMatchObject({ code: 'vault_denied' })
  })

  test('a source that hangs holds nobody up, and another is opened in its place', async () => {
    const time = fakeTime()
    const { state, ask } = source(minuteMs, time)
    await ask()
    state.hangs = true
    time.advance(minuteMs / 2)
    for (let at = 0; at < 50; at += 1) expect(await ask()).toBe('t1')
    await time.pass(fetchMsMax + 1_000)
    state.hangs = false
    expect(await ask()).toBe('t1')
    await settle()
    expect(await ask()).toBe('t3')
    expect(state).toMatchObject({ fetched: 3, opened: 2 })
  })

  test('a vault that refuses every one has another fetched once in ten seconds', async () => {
    const { clock, state, tokens, ask } = source(minuteMs)
    for (let at = 0; at < 50; at += 1) await tokens.replace((await ask()) ?? '')
    expect(state.fetched).toBe(2)
    clock.advance(10_000)
    expect(await tokens.replace('t2')).toBe('t3')
  })

  test('a refused one is not given out again, and its source forgets it', async () => {
    const { state, tokens, ask } = source(minuteMs)
    await ask()
    expect(await tokens.replace('another')).toBeUndefined()
    expect(await ask()).toBe('t1')
    const all = Array.from({ length: 20 }, () => tokens.replace('t1'))
    expect(new Set(await Promise.all(all))).toEqual(new Set(['t2']))
    expect(await ask()).toBe('t2')
    expect(await tokens.replace('t1')).toBe('t2')
    expect(state).toMatchObject({ opened: 2, fetched: 2 })
  })

  test('tenants and scopes have tokens of their own', async () => {
    const { state, tokens } = source(minuteMs)
    await tokens.getToken('a-scope', { tenantId: 'one' })
    await tokens.getToken('a-scope', { tenantId: 'other' })
    await tokens.getToken('another-scope', { tenantId: 'one' })
    expect(state.fetched).toBe(3)
  })

  test('whoever stops waiting stops nobody else', async () => {
    const { state, tokens } = source(minuteMs)
    const stopping = new AbortController()
    const first = tokens.getToken('a-scope', { abortSignal: stopping.signal })
    const second = tokens.getToken('a-scope', {})
    const reason = new Error('the deadline')
    stopping.abort(reason)
    await expect(first).rejects.toBe(reason)
    expect((await second)?.token).toBe('t1')
    expect(state.fetched).toBe(1)
  })
})
