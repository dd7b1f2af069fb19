import { decodeProtectedHeader } from 'jose'
import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import type { SignForm } from '../../src/service/sign-form.ts'
import { signFor } from '../../src/service/sign.ts'
import { refusing, type Verdict } from '../support/audit-log.ts'
import { grantOn } from '../support/grant.ts'
import { houseKeys } from '../support/house.ts'
import { memoryKey } from '../support/memory-key.ts'
import { isPending } from '../support/pending.ts'
import {
  changeStore,
  commandFor,
  heldVersion,
  patience,
  signingService,
} from '../support/signing-service.ts'
import { watchedSigner } from '../support/watched-signer.ts'

const segment = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const claims: SignForm = { kind: 'claims', claims: {} }

/** Version 1 signs as far as this process knows; the store has gone on to version 2. */
async function rotated() {
  const { reports } = houseKeys
  const vaults = {
    one: watchedSigner(memoryKey('ES256').signer),
    two: watchedSigner(memoryKey('ES256', 'other').signer),
  }
  const first = heldVersion(reports, { signer: vaults.one })
  const second = heldVersion(reports, {
    n: 2,
    memory: memoryKey('ES256', 'other'),
    signer: vaults.two,
  })
  const retiring = heldVersion(reports, { state: 'retiring', signer: vaults.one })
  const grant = grantOn(reports, {
    operations: ['sign-claims', 'sign-input'],
    lifetimeSecondsMax: 900,
  })
  const service = await signingService({ held: [first], grants: [grant] })
  changeStore(service.state, [retiring, second])
  service.audit.answerIntents(permitting(2))
  const sign = (form = claims, signal = patience) =>
    signFor(service.deps, commandFor('reports', form), signal)
  return { ...service, sign, vaults, kids: [first.version.kid, second.version.kid] as const }
}

/** As the audit's transaction does, which reads the store and not this process's snapshot. */
function permitting(active: number): Verdict {
  return ({ version }) => {
    if (version === active) return 0
    throw new ServiceError('version_not_active', 'The key version does not sign')
  }
}

function inputFor(kid: string | undefined): SignForm {
  const header = kid === undefined ? { alg: 'ES256' } : { alg: 'ES256', kid }
  const now = 1_800_000_000
  const payload = { iss: 'https://acme.example', jti: 'j', iat: now, exp: now + 60 }
  return { kind: 'signingInput', text: `${segment(header)}.${segment(payload)}` }
}

describe('a version that signs no more', () => {
  test('is replaced by the one that does: a rotation fails no request', async () => {
    const { sign, audit, vaults, kids } = await rotated()
    const signed = await sign()
    expect(signed).toMatchObject({ version: 2, kid: kids[1] })
    expect(decodeProtectedHeader(String(signed.jwt))).toMatchObject({ kid: kids[1] })
    expect(audit.asked.map(({ version }) => version)).toEqual([1, 2])
    expect(audit.events).toEqual(['intent', 'outcome released'])
    expect([vaults.one.calls.length, vaults.two.calls.length]).toEqual([1, 1])
  })

  test('gives neither its signature nor its claims’ jti away: one JWT came of one request', async () => {
    const { sign, audit } = await rotated()
    await sign()
    expect(audit.intents).toHaveLength(1)
    expect(audit.intents[0]?.jti).toBe(audit.asked[0]?.jti)
  })

  test('when it was revoked, is replaced by its successor too', async () => {
    const { sign, audit } = await rotated()
    audit.answerIntents(({ version }) => {
      if (version === 2) return 0
      throw new ServiceError('version_revoked', 'The key version is revoked')
    })
    await expect(sign()).resolves.toMatchObject({ version: 2 })
  })

  test('and has no successor: the key has no version that signs', async () => {
    const { sign, audit, state } = await rotated()
    changeStore(state, [])
    await expect(sign()).rejects.toMatchObject({ code: 'no_active_version' })
    expect(audit.intents).toEqual([])
  })

  test('a second refusal is final', async () => {
    const { sign, audit, vaults } = await rotated()
    audit.answerIntents(refusing('version_not_active'))
    await expect(sign()).rejects.toMatchObject({ code: 'version_not_active' })
    expect(audit.asked.map(({ version }) => version)).toEqual([1, 2])
    expect(audit.events).toEqual(['denial version_not_active'])
    expect([vaults.one.calls.length, vaults.two.calls.length]).toEqual([1, 1])
  })

  test('a refusal for another reason is not tried again', async () => {
    const { sign, audit } = await rotated()
    audit.answerIntents(refusing('suspended'))
    await expect(sign()).rejects.toMatchObject({ code: 'suspended' })
    expect(audit.asked).toHaveLength(1)
    expect(audit.events).toEqual(['denial suspended'])
  })

  test('a store that cannot be read fails the request, not the process', async () => {
    const { sign, state } = await rotated()
    state.failure = new ServiceError('audit_unavailable', 'The state of the key could not be read')
    await expect(sign()).rejects.toMatchObject({ code: 'audit_unavailable' })
    state.failure = undefined
    await expect(sign()).resolves.toMatchObject({ version: 2 })
  })
})

describe('a signing input', () => {
  test('that names the old kid is answered with the one that signs now', async () => {
    const { sign, kids, audit, vaults } = await rotated()
    await expect(sign(inputFor(kids[0]))).rejects.toMatchObject({
      code: 'version_not_active',
      details: { activeKid: kids[1] },
    })
    expect(audit.events).toEqual(['denial version_not_active'])
    expect(vaults.two.calls).toEqual([])
  })

  test('that names a kid which this process does not know yet is refused, until it does', async () => {
    const { sign, kids, deps } = await rotated()
    await expect(sign(inputFor(kids[1]))).rejects.toMatchObject({ details: { activeKid: kids[0] } })
    await deps.keys.reload(patience)
    await expect(sign(inputFor(kids[1]))).resolves.toMatchObject({ version: 2 })
  })

  test('that names none is signed by whichever version signs, as it was sent', async () => {
    const { sign } = await rotated()
    const form = inputFor(undefined)
    const signed = await sign(form)
    expect(signed.version).toBe(2)
    expect(signed.jwt).toMatch(form.kind === 'signingInput' ? form.text : '')
  })
})

test('the second try has the deadline of the first', async () => {
  const { sign, state, audit, vaults } = await rotated()
  const limit = new AbortController()
  state.beforeOpen = () => new Promise(() => {})
  const asked = sign(claims, limit.signal)
  expect(await isPending(asked)).toBe(true)
  limit.abort(new ServiceError('deadline_exceeded', 'The deadline passed'))
  await expect(asked).rejects.toMatchObject({ code: 'deadline_exceeded' })
  expect(audit.intents).toEqual([])
  expect(vaults.two.calls).toEqual([])
})

test('the vault’s own refusal of an outdated version is no reason to sign twice', async () => {
  const { sign, audit, vaults } = await rotated()
  audit.answerIntents(() => 0)
  vaults.one.answer(() => {
    throw new ServiceError('vault_key_unusable', 'The key is disabled in its vault')
  })
  await expect(sign()).rejects.toMatchObject({ code: 'vault_key_unusable' })
  expect(audit.asked).toHaveLength(1)
})
