import { rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { challengeMemory } from '../../../providers/azure-key-vault/challenge.ts'
import { openAzureVault } from '../../../providers/azure-key-vault/signer.ts'
import { utf8 } from '../../../src/lib/bytes.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { algorithm } from '../../../src/signing/algorithms.ts'
import { guardedVault } from '../../../src/signing/guarded-vault.ts'
import { ReplacedCredential } from '../../../src/signing/signer.ts'
import {
  azureConfig,
  type AzureFiles,
  azureFiles,
  bareAzureSurroundings,
  heldVersion,
} from '../../support/azure-vault.ts'
import { fakeKeyVault, type FakeKeyVault } from '../../support/fake-key-vault.ts'
import type { Fault } from '../../support/fake-key-vault/fault.ts'
import { codeOf, rememberingObserver } from '../../support/guarded.ts'
import { manualClock } from '../../support/manual-clock.ts'

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
  await vault[Symbol.asyncDispose]()
  rmSync(files.directory, { recursive: true })
})

/** How often a token is given up goes by it: it stands still, however long a signature takes. */
const clock = manualClock(systemClock.now())

const vaultOf = () => openAzureVault(azureConfig(vault, files), { ...bareAzureSurroundings, clock })

/** As `serve` composes it: the guard is what tries again. */
async function opened() {
  const bare = await vaultOf()
  const limits = { deadlineMs: 60_000, concurrency: 64, quotaPerSecond: undefined }
  const surroundings = { vault: 'azure', clock, observer: rememberingObserver() }
  const { vault: guarded } = guardedVault(bare, limits, surroundings)
  const { id } = heldVersion(vault, 'ES256')
  const signer = await guarded.open({ resource: id, algorithm: 'ES256' }, signal)
  return { sign: () => signer.sign(input, row, signal) }
}

/** Everything that goes over the wire, challenges too. */
const onTheWire = () => vault.requests.length + vault.challenges()

const refusal: Fault = { kind: 'refuse-token' }
const outage: Fault = { kind: 'html', status: 503 }
const reset: Fault = { kind: 'reset' }
const throttling: Fault = { kind: 'throttle', retryAfterSeconds: 0 }

describe('[C8] a token that the vault refuses', () => {
  test('is replaced, and the request made once more', async () => {
    const { sign } = await opened()
    vault.next(refusal, { action: 'Sign' })
    expect(await sign()).toHaveLength(64)
    const tokens = vault.requests.map(({ token }) => token)
    expect(tokens).toHaveLength(3)
    expect(tokens[1]).toBe(tokens[0])
    expect(tokens[2]).not.toBe(tokens[1])
    await sign()
    expect(vault.requests.at(-1)?.token).toBe(tokens[2])
  })

  test('a token whose end comes on the way: the request is made with the next', async () => {
    const { sign } = await opened()
    vault.identities.tokens.clear()
    expect(await sign()).toHaveLength(64)
    expect(vault.identities.asked).toBe(2)
  })

  test('one after the other, each of which was good before, are all replaced', async () => {
    const { sign } = await opened()
    for (let at = 0; at < 3; at += 1) {
      vault.next(refusal, { action: 'Sign' })
      expect(await sign()).toHaveLength(64)
    }
    expect(vault.identities.asked).toBe(4)
  })

  test('access that is revoked is vault_denied, and not asked for again and again', async () => {
    const { sign } = await opened()
    vault.next(refusal, { action: 'Sign', times: 11 })
    const message = 'The vault does not accept the credentials: check them, and the clock'
    for (let at = 0; at < 10; at += 1) {
      await expect(sign()).rejects.toMatchObject({ code: 'vault_denied', message })
    }
    expect(vault.identities.asked).toBe(2)
  })
})

/**
 * Seeded: with `sendingAgain` for signatures, as it was, five of these see three requests or four.
 */
describe('[C9] one signature is at most two requests', () => {
  test.each<readonly [string, readonly Fault[], string]>([
    ['refused, refused', [refusal, refusal, refusal, refusal], 'vault_denied'],
    ['refused, then down', [refusal, outage, outage, outage], 'vault_unavailable'],
    ['refused, then throttled', [refusal, throttling, throttling, throttling], 'vault_throttled'],
    ['refused, then reset', [refusal, reset, reset, reset], 'vault_unavailable'],
    ['down, then refused', [outage, refusal, outage, outage], 'vault_denied'],
    ['reset, then refused', [reset, refusal, refusal, outage], 'vault_denied'],
    ['down', [outage, outage, outage, outage], 'vault_unavailable'],
    ['refused once', [refusal], 'ok'],
  ])('%s', async (_, faults, code) => {
    const { sign } = await opened()
    const before = onTheWire()
    for (const fault of faults) vault.next(fault, { action: 'Sign' })
    expect(await codeOf(sign())).toBe(code)
    expect(onTheWire() - before).toBe(2)
  })

  test.each([1, 2])(
    'the first of a version, after another’s token was refused %i times',
    async (times) => {
      const bare = await vaultOf()
      const open = () =>
        bare.open({ resource: heldVersion(vault, 'ES256').id, algorithm: 'ES256' }, signal)
      const [one, other] = [await open(), await open()]
      vault.next(refusal, { action: 'Sign', times })
      for (let at = 0; at < times; at += 1) {
        await expect(one.sign(input, row, signal)).rejects.toMatchObject({ code: 'vault_denied' })
      }
      const before = onTheWire()
      expect(await other.sign(input, row, signal)).toHaveLength(64)
      expect(onTheWire() - before).toBe(1)
    },
  )
})

/** As continuous access evaluation asks: for a token that is no older than this. */
const claimsAt = (second: number) =>
  JSON.stringify({ access_token: { nbf: { essential: true, value: String(second) } } })

describe('[C8] a token that lacks claims, which the vault asks for', () => {
  test('is replaced by one with them in two requests; the next signatures are one each', async () => {
    const { sign } = await opened()
    for (let second = 1; second <= 3; second += 1) {
      vault.identities.wanted = () => claimsAt(second)
      const before = onTheWire()
      expect(await sign()).toHaveLength(64)
      expect(onTheWire() - before).toBe(2)
      expect(vault.identities.asked).toBe(1 + second)
      for (let at = 0; at < 3; at += 1) expect(await sign()).toHaveLength(64)
      expect(onTheWire() - before).toBe(5)
    }
    expect(vault.identities.asked).toBe(4)
  })

  test('is replaced once for all who sign at the same time', async () => {
    const { sign } = await opened()
    vault.identities.wanted = () => claimsAt(1)
    const before = onTheWire()
    const signatures = await Promise.all(Array.from({ length: 20 }, () => sign()))
    expect(signatures.map(({ length }) => length)).toEqual(Array.from({ length: 20 }, () => 64))
    expect(onTheWire() - before).toBeLessThanOrEqual(40)
    expect(vault.identities.asked).toBe(2)
  })

  test('another version is opened, and signs, with the new one', async () => {
    const bare = await vaultOf()
    const open = () =>
      bare.open({ resource: heldVersion(vault, 'ES256').id, algorithm: 'ES256' }, signal)
    await open()
    vault.identities.wanted = () => claimsAt(1)
    const signer = await open()
    const before = onTheWire()
    expect(await signer.sign(input, row, signal)).toHaveLength(64)
    expect(onTheWire() - before).toBe(1)
    expect(vault.identities.asked).toBe(2)
  })

  test('claims that no token satisfies: vault_denied, and one token is fetched for all of it', async () => {
    const { sign } = await opened()
    let second = 0
    vault.identities.wanted = () => claimsAt((second += 1))
    const message = 'The vault does not accept the credentials: check them, and the clock'
    const denied = { code: 'vault_denied', message }
    await expect(sign()).rejects.toMatchObject(denied)
    const before = onTheWire()
    for (let at = 0; at < 10; at += 1) await expect(sign()).rejects.toMatchObject(denied)
    expect(onTheWire() - before).toBe(10) // the same token is not sent twice for one signature
    expect(vault.identities.asked).toBe(2)
    vault.identities.wanted = () => undefined
    expect(await sign()).toHaveLength(64)
  })
})

/** Headers as the SDK's are, in lower case. */
function headers(given: Readonly<Record<string, string>>) {
  const held = new Map(Object.entries(given))
  return {
    get: (name: string) => held.get(name.toLowerCase()),
    set: (name: string, value: string) => void held.set(name.toLowerCase(), value),
    delete: (name: string) => void held.delete(name.toLowerCase()),
  }
}

test('[C8] claims that the vault asks for are the SDK’s to fetch, and a second try’s to send', async () => {
  const { sendingOnce } = challengeMemory({
    replace: async () => 'unused',
    accept() {},
    lacks() {},
  })
  const request = { headers: headers({ authorization: 'Bearer one' }) }
  const challenge = 'Bearer error="insufficient_claims", claims="e30="'
  const refused = { request, status: 401, headers: headers({ 'www-authenticate': challenge }) }
  let sent = 0
  const next = async () => {
    sent += 1
    return refused
  }
  expect(await sendingOnce.sendRequest(request, next)).toBe(refused)
  // The SDK has read it, and sends the same request with another token.
  request.headers.set('authorization', 'Bearer two')
  await expect(sendingOnce.sendRequest(request, next)).rejects.toBeInstanceOf(ReplacedCredential)
  expect(sent).toBe(1)
})
