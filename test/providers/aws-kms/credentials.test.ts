import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { heldCredentials } from '../../../providers/aws-kms/credentials.ts'
import { openAwsVault } from '../../../providers/aws-kms/signer.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { utf8 } from '../../../src/lib/bytes.ts'
import { algorithm } from '../../../src/signing/algorithms.ts'
import { guardedVault } from '../../../src/signing/guarded-vault.ts'
import {
  awsConfig,
  awsEnvironment,
  awsVault,
  bareSurroundings,
  heldKey,
} from '../../support/aws-vault.ts'
import { credentialSource } from '../../support/credential-source.ts'
import { fakeKms, type FakeKms } from '../../support/fake-kms.ts'
import { accountSecret } from '../../support/fake-kms/keys.ts'
import { rememberingObserver } from '../../support/guarded.ts'
import { manualClock } from '../../support/manual-clock.ts'
import { settle } from '../../support/pending.ts'

const minuteMs = 60_000

/** A source of credentials that live this long, and are counted. */
function source(lifeMs: number) {
  const clock = manualClock()
  const state = { opened: 0, fetched: 0, fails: false }
  const open = () => {
    state.opened += 1
    return async () => {
      state.fetched += 1
      if (state.fails) throw new Error('the source is down')
      return { expiration: new Date(clock.now() + lifeMs), serial: state.fetched }
    }
  }
  const held = heldCredentials(open, clock)
  const ask = () => held.get()
  return { clock, state, ask }
}

describe('[C21] credentials are held', () => {
  test('short-lived ones are fetched once, not once per request, and again at half their life', async () => {
    const { clock, state, ask } = source(minuteMs)
    for (let at = 0; at < 50; at += 1) await ask()
    expect(state.fetched).toBe(1)
    clock.advance(minuteMs / 2)
    expect(await ask()).toMatchObject({ serial: 1 }) // and nobody waits for the next
    await settle()
    for (let at = 0; at < 50; at += 1) expect(await ask()).toMatchObject({ serial: 2 })
    expect(state).toMatchObject({ fetched: 2, opened: 2 })
  })

  test('long-lived ones are fetched again five minutes before their end', async () => {
    const { clock, ask } = source(60 * minuteMs)
    await ask()
    clock.advance(55 * minuteMs - 1)
    expect(await ask()).toMatchObject({ serial: 1 })
    clock.advance(1)
    await ask()
    await settle()
    expect(await ask()).toMatchObject({ serial: 2 })
  })

  test('all who ask at the same time share one fetch', async () => {
    const { state, ask } = source(minuteMs)
    await Promise.all(Array.from({ length: 64 }, () => ask()))
    expect(state.fetched).toBe(1)
  })

  test('a source that is down is not noticed before the last ones end', async () => {
    const { clock, state, ask } = source(minuteMs)
    await ask()
    state.fails = true
    clock.advance(minuteMs - 1)
    expect(await ask()).toMatchObject({ serial: 1 })
    clock.advance(1)
    await expect(ask()).rejects.toThrow('the source is down')
    state.fails = false
    clock.advance(1_000)
    expect(await ask()).toMatchObject({ expiration: new Date(clock.now() + minuteMs) })
  })

  test('a source that gives what has ended already is asked once a second at most', async () => {
    const { clock, state, ask } = source(-minuteMs)
    for (let at = 0; at < 50; at += 1) await ask()
    expect(state.fetched).toBe(1)
    clock.advance(1_000)
    await ask()
    expect(state.fetched).toBe(2)
  })

  test('what never ends is fetched once', async () => {
    const clock = manualClock()
    let fetched = 0
    const chain = async (): Promise<{ readonly expiration?: Date }> => {
      fetched += 1
      return {}
    }
    const held = heldCredentials(() => chain, clock)
    const ask = () => held.get()
    for (let at = 0; at < 3; at += 1, clock.advance(1e12)) await ask()
    expect(fetched).toBe(1)
  })
})

/** As `serve` composes it: the guard is what tries again. */
async function guarded(kms: FakeKms) {
  // How often credentials are given up goes by it: it stands still, however long a signature takes.
  const clock = manualClock(systemClock.now())
  const bare = openAwsVault(awsConfig({ endpoint: kms.endpoint }), { ...bareSurroundings, clock })
  const limits = { deadlineMs: 60_000, concurrency: 8, quotaPerSecond: undefined }
  const surroundings = { vault: 'aws', clock, observer: rememberingObserver() }
  const { vault } = guardedVault(bare, limits, surroundings)
  const { signal } = new AbortController()
  const { arn: resource } = heldKey(kms, 'EdDSA')
  const signer = await vault.open({ resource, algorithm: 'EdDSA' }, signal)
  const input = { message: utf8('a message'), digest: undefined }
  return () => signer.sign(input, algorithm('EdDSA'), signal)
}

describe('[C21] credentials that the vault takes no more', () => {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-aws-'))
  const file = join(directory, 'credentials')
  const write = (id: string) =>
    writeFileSync(
      file,
      `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${accountSecret}\n`,
    )
  beforeEach(() => {
    const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...environment } = awsEnvironment
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file)
    write('AKIDOLD')
  })
  afterEach(() => vi.unstubAllEnvs())
  afterAll(() => rmSync(directory, { recursive: true }))

  test.each([
    'ExpiredToken',
    'ExpiredTokenException',
    'InvalidClientTokenId',
    'UnrecognizedClientException',
  ])('%s: the file is read again, and the signature made in two requests', async (type) => {
    await using kms = await fakeKms()
    const sign = await guarded(kms)
    write('AKIDNEW')
    kms.next({ kind: 'error', type }, { action: 'Sign' })
    expect(await sign()).toHaveLength(64)
    await sign()
    const signed = kms.requests.filter(({ action }) => action === 'Sign')
    expect(signed.map(({ accessKeyId }) => accessKeyId)).toEqual(['AKIDOLD', 'AKIDNEW', 'AKIDNEW'])
  })

  test('a file in which nothing has changed: vault_denied, and no more than one more request', async () => {
    await using kms = await fakeKms()
    const sign = await guarded(kms)
    const before = kms.requests.length
    kms.next({ kind: 'error', type: 'InvalidClientTokenId' }, { action: 'Sign', times: 6 })
    const message = 'The vault does not accept the credentials: check them, and the clock'
    for (let at = 0; at < 5; at += 1) {
      await expect(sign()).rejects.toMatchObject({ code: 'vault_denied', message })
    }
    expect(kms.requests.length - before).toBe(6)
    expect(await sign()).toHaveLength(64)
  })

  test('a request that is denied for what it asks gives no credentials up', async () => {
    await using kms = await fakeKms()
    const sign = await guarded(kms)
    write('AKIDNEW')
    kms.next({ kind: 'error', type: 'AccessDeniedException' }, { action: 'Sign' })
    await expect(sign()).rejects.toMatchObject({ code: 'vault_denied' })
    await sign()
    expect(kms.requests.at(-1)?.accessKeyId).toBe('AKIDOLD')
  })
})

describe('[C21] the SDK’s own chain', () => {
  afterEach(() => vi.unstubAllEnvs())

  test('a container’s credentials of one minute serve 20 signatures with one look', async () => {
    await using kms = await fakeKms()
    await using held = await credentialSource(() => systemClock.now() + minuteMs)
    const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...environment } = awsEnvironment
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', held.url)
    const { signal } = new AbortController()
    const { arn: resource } = heldKey(kms, 'EdDSA')
    const signer = await awsVault(kms).open({ resource, algorithm: 'EdDSA' }, signal)
    const input = { message: utf8('a message'), digest: undefined }
    for (let at = 0; at < 20; at += 1) await signer.sign(input, algorithm('EdDSA'), signal)
    expect(kms.count('Sign')).toBe(20)
    expect(new Set(kms.requests.map(({ accessKeyId }) => accessKeyId))).toEqual(new Set(['ASIA-1']))
    expect(held.asked()).toBe(1)
  })

  test('no credentials anywhere: vault_denied, and nothing is asked', async () => {
    await using kms = await fakeKms()
    const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...environment } = awsEnvironment
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    const { signal } = new AbortController()
    const { arn: resource } = heldKey(kms, 'EdDSA')
    await expect(
      awsVault(kms).open({ resource, algorithm: 'EdDSA' }, signal),
    ).rejects.toMatchObject({
      code: 'vault_denied',
      message: 'No credentials for the vault can be found',
    })
    expect(kms.requests).toEqual([])
  })

  test('an endpoint and a region of the environment are ignored where nobody refused them', async () => {
    await using kms = await fakeKms()
    for (const [name, value] of Object.entries(awsEnvironment)) vi.stubEnv(name, value)
    vi.stubEnv('AWS_ENDPOINT_URL_KMS', 'http://127.0.0.1:1')
    vi.stubEnv('AWS_REGION', 'us-east-1')
    vi.stubEnv('AWS_MAX_ATTEMPTS', '5')
    const { signal } = new AbortController()
    const { arn: resource } = heldKey(kms, 'EdDSA')
    kms.next({ kind: 'html', status: 503 })
    const open = () => awsVault(kms).open({ resource, algorithm: 'EdDSA' }, signal)
    await expect(open()).rejects.toMatchObject({ code: 'vault_unavailable' })
    expect((await open()).custody).toBe('kms-generated')
    expect(kms.requests).toHaveLength(2)
  })
})
