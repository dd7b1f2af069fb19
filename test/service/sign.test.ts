import { createHmac, hash } from 'node:crypto'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import type { SignForm } from '../../src/service/sign-form.ts'
import { type SignCommand, signFor } from '../../src/service/sign.ts'
import { verifies } from '../../src/signing/verify.ts'
import { failingAudit, refusing } from '../support/audit-log.ts'
import { house } from '../support/house.ts'
import { memoryKey, memoryKeyPair } from '../support/memory-key.ts'
import { isPending, settle } from '../support/pending.ts'
import { commandFor, patience, signingService } from '../support/signing-service.ts'
import { failing, held } from '../support/watched-signer.ts'

const good: SignForm = { kind: 'claims', claims: { sub: '42' } }
const digest = {
  kind: 'digest',
  digest: new Uint8Array(hash('sha256', 'a document', 'buffer')),
} as const satisfies SignForm
const message = (text: string): SignForm => ({ kind: 'message', message: Buffer.from(text) })

/** The use case on `reports`, whose vault is in the test's hands. */
async function signing() {
  const { vault, ...setting } = house()
  const service = await signingService(setting)
  const sign = (form = good, key = 'reports', part: Partial<SignCommand> = {}) =>
    signFor(service.deps, commandFor(key, form, part), patience)
  return { ...service, vault, sign }
}

const vaultDenied = new ServiceError('vault_denied', 'The vault denied the request')

describe('a refusal', () => {
  const signingInput = 'eyJhbGciOiJFUzI1NiJ9.e30'

  test.each<[string, string, SignForm]>([
    ['key_not_found', 'nobody-has-this', good],
    ['key_not_found', 'hidden', good],
    ['wrong_purpose', 'reports', message('a')],
    ['operation_not_granted', 'readable', good],
    ['malformed_signing_input', 'reports', { kind: 'signingInput', text: 'a' }],
    ['claim_not_allowed', 'reports', { kind: 'claims', claims: { sub: '42', iss: 'me' } }],
    ['looks_like_jwt', 'documents', message(signingInput)],
    ['claims_refused', 'reports', { kind: 'claims', claims: {} }],
    ['claims_refused', 'reports', { kind: 'signingInput', text: signingInput }],
  ])('%s on %s reaches neither the audit’s transaction nor a vault', async (code, key, form) => {
    const { sign, vault, audit } = await signing()
    await expect(sign(form, key)).rejects.toMatchObject({ code })
    await settle()
    expect([audit.asked, vault.calls]).toEqual([[], []])
    expect(audit.events).toEqual([`denial ${code}`])
  })

  test('for a limit reaches neither, and is the limit of its own grant only', async () => {
    const { sign, audit, clock, deps } = await signing()
    await sign(good, 'limited')
    await expect(sign(good, 'limited')).rejects.toMatchObject({
      code: 'rate_limited',
      details: { retryAfterMs: 2_000 },
    })
    expect(audit.events).toEqual(['intent', 'outcome released', 'denial rate_limited'])
    await expect(sign()).resolves.toMatchObject({ key: 'reports' })
    clock.advance(2_000)
    await expect(sign(good, 'limited')).resolves.toMatchObject({ key: 'limited' })
    expect(deps.clock.monotonicMs()).toBe(2_000)
  })

  test('for want of a version asks nobody either', async () => {
    const { sign, audit } = await signing()
    await expect(sign(good, 'empty')).rejects.toMatchObject({ code: 'no_active_version' })
    expect(audit.asked).toEqual([])
  })
})

describe('a signature is released', () => {
  test('never before its intent is committed, however early it is', async () => {
    const { sign, vault, audit } = await signing()
    const { promise, resolve } = Promise.withResolvers<number>()
    audit.answerIntents(() => promise)
    const signed = sign()
    expect(await isPending(signed)).toBe(true)
    expect(vault.calls).toHaveLength(1)
    expect(audit.events).toEqual([])
    resolve(0)
    await expect(signed).resolves.toMatchObject({ key: 'reports', version: 1 })
    expect(audit.events).toEqual(['intent', 'outcome released'])
  })

  test('never where the intent cannot be written', async () => {
    const { vault, ...setting } = house()
    const { deps, clock } = await signingService(setting)
    const audit = failingAudit(clock)
    const asked = signFor({ ...deps, audit }, commandFor('reports', good), patience)
    await expect(asked).rejects.toMatchObject({ code: 'audit_unavailable' })
    await settle()
    expect(vault.calls).toHaveLength(1)
    expect(audit.events).toEqual([])
  })

  test.each(['suspended', 'overloaded'] as const)(
    'never where the intent is answered %s, and the vault is late',
    async (code) => {
      const { sign, vault, audit } = await signing()
      const { onItsWay, letGo } = held()
      vault.answer(onItsWay)
      audit.answerIntents(refusing(code))
      await expect(sign()).rejects.toMatchObject({ code })
      letGo()
      await settle()
      expect(audit.events.filter((event) => event.startsWith('outcome'))).toEqual([])
    },
  )

  test('never unless the pinned public key verifies it', async () => {
    const { sign, vault, audit } = await signing()
    const other = memoryKey('ES256', 'other')
    vault.answer((signature, signal) =>
      other.signer.sign({ message: signature, digest: undefined }, other.algorithm, signal),
    )
    await expect(sign()).rejects.toMatchObject({ code: 'signature_invalid' })
    expect(audit.events).toEqual(['intent', 'outcome signature_invalid'])
  })

  test('with one request to the vault, and none that is repeated', async () => {
    const { sign, vault } = await signing()
    await sign()
    expect(vault.calls).toHaveLength(1)
    vault.answer(failing(new ServiceError('vault_throttled', 'Wait')))
    await expect(sign()).rejects.toMatchObject({ code: 'vault_throttled' })
    expect(vault.calls).toHaveLength(2)
  })
})

describe('a vault that fails', () => {
  test('after the intent: its code is the outcome', async () => {
    const { sign, vault, audit } = await signing()
    const { onItsWay, letGo } = held()
    vault.answer(async (signature, signal) => {
      await onItsWay(signature, signal)
      throw vaultDenied
    })
    const asked = sign()
    expect(await isPending(asked)).toBe(true)
    expect(audit.events).toEqual(['intent'])
    letGo()
    await expect(asked).rejects.toBe(vaultDenied)
    await settle()
    expect(audit.events).toEqual(['intent', 'outcome vault_denied'])
    expect(audit.outcomes[0]).toEqual({
      type: 'outcome',
      at: expect.any(Number),
      request: 'a-request',
      result: 'vault_denied',
      signatureDigest: undefined,
      vaultMs: undefined,
    })
  })

  test('before the intent is committed: the outcome stands behind it all the same', async () => {
    const { sign, vault, audit } = await signing()
    const { promise, resolve } = Promise.withResolvers<number>()
    audit.answerIntents(() => promise)
    vault.answer(failing(vaultDenied))
    await expect(sign()).rejects.toBe(vaultDenied)
    await settle()
    expect(audit.events).toEqual([])
    resolve(0)
    await settle()
    expect(audit.events).toEqual(['intent', 'outcome vault_denied'])
  })

  test('and an intent that fails too: no outcome without an intent', async () => {
    const { sign, vault, audit } = await signing()
    vault.answer(failing(vaultDenied))
    audit.answerIntents(async () => {
      await settle()
      throw new ServiceError('audit_unavailable', 'The audit record could not be written')
    })
    await expect(sign()).rejects.toBe(vaultDenied)
    await settle()
    await settle()
    expect(audit.events).toEqual([])
  })

  test('with something that nobody mapped: an internal error', async () => {
    const { sign, vault, audit } = await signing()
    vault.answer(failing('not even an Error'))
    await expect(sign()).rejects.toBe('not even an Error')
    await settle()
    expect(audit.events).toEqual(['intent', 'outcome internal_error'])
  })
})

describe('the records', () => {
  test('hold who, what and under which grant, and neither claims nor signature', async () => {
    const { sign, audit, clock } = await signing()
    const { jwt, signature, kid } = await sign(good, 'reports', { callerRequest: 'theirs' })
    const { jti, exp } = decodeJwt(String(jwt))
    const signingInput = String(jwt).replace(/\.[^.]*$/, '')
    expect(audit.intents).toEqual([
      {
        type: 'intent',
        at: clock.now(),
        request: 'a-request',
        callerRequest: 'theirs',
        caller: 'blog-backend',
        key: 'reports',
        version: 1,
        kid,
        alg: 'ES256',
        operation: 'sign-claims',
        grant: 'grants[0]',
        inputDigest: createHmac('sha256', new Uint8Array(32))
          .update(signingInput)
          .digest('base64url'),
        jti,
        exp: Number(exp) * 1_000,
      },
    ])
    expect(audit.outcomes).toEqual([
      {
        type: 'outcome',
        at: clock.now(),
        request: 'a-request',
        result: 'released',
        signatureDigest: hash('sha256', signature, 'base64url'),
        vaultMs: 0,
      },
    ])
  })

  test.each<[string, string, SignForm]>([
    ['sign-message', 'documents', message('a')],
    ['sign-message', 'mac', message('')],
    ['sign-digest', 'documents', digest],
    ['sign-claims', 'bot', { kind: 'claims', claims: {} }],
  ])('name the operation %s on %s', async (operation, key, form) => {
    const { sign, audit } = await signing()
    await sign(form, key)
    expect(audit.intents).toEqual([expect.objectContaining({ operation, key })])
  })
})

test('a digest goes to the vault alone, and the record holds its keyed digest', async () => {
  const { vault, ...setting } = house()
  const [first, ...others] = setting.held.filter(({ version }) => version.key === 'documents')
  if (!first || others.length > 0) throw new Error('the house has one version of documents')
  const replaced = setting.held.map((one) => (one === first ? { ...one, signer: vault } : one))
  const { deps, audit } = await signingService({ ...setting, held: replaced })
  const { signature } = await signFor(deps, commandFor('documents', digest), patience)
  expect(vault.calls).toEqual([{ message: undefined, digest: digest.digest }])
  expect(isGenuine(signature, 'a document')).toBe(true)
  const keyed = createHmac('sha256', new Uint8Array(32)).update(digest.digest).digest('base64url')
  expect(audit.intents).toEqual([
    expect.objectContaining({ operation: 'sign-digest', inputDigest: keyed }),
  ])
  vault.answer(() => new Uint8Array(signature).fill(1))
  const asked = signFor(deps, commandFor('documents', digest), patience)
  await expect(asked).rejects.toMatchObject({ code: 'signature_invalid' })
  await settle()
  expect(audit.events).toEqual([
    'intent',
    'outcome released',
    'intent',
    'outcome signature_invalid',
  ])
})

function isGenuine(signature: Uint8Array, text: string): boolean {
  const { publicKey, algorithm } = memoryKeyPair('ES256')
  return verifies(publicKey, algorithm, Buffer.from(text), signature)
}

test('what the vault is asked to sign is what the answer says was signed', async () => {
  const { sign, vault } = await signing()
  const { jwt, signature } = await sign()
  const [call] = vault.calls
  expect(jwt).toBe(
    `${Buffer.from(call?.message ?? []).toString()}.${Buffer.from(signature).toString('base64url')}`,
  )
  expect(call?.digest).toEqual(new Uint8Array(hash('sha256', call?.message ?? '', 'buffer')))
})
