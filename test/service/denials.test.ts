import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { readFingerprints } from '../../src/service/fingerprint.ts'
import type { SignForm } from '../../src/service/sign-form.ts'
import { signFor } from '../../src/service/sign.ts'
import { refusing } from '../support/audit-log.ts'
import { house } from '../support/house.ts'
import { commandFor, patience, signingService } from '../support/signing-service.ts'
import { failing } from '../support/watched-signer.ts'

/** DESIGN §3: denials after authentication are recorded, and not awaited. */

const good: SignForm = { kind: 'claims', claims: { sub: '42' } }
const message: SignForm = { kind: 'message', message: new Uint8Array() }

async function service() {
  const { vault, ...setting } = house()
  const made = await signingService(setting)
  const sign = (form: SignForm, key: string) =>
    signFor(made.deps, commandFor(key, form), patience).then(
      () => 'released',
      (error: unknown) => (error instanceof ServiceError ? error.code : error),
    )
  return { ...made, vault, sign }
}

describe('a refused signature is recorded with who, what and why', () => {
  test.each<[string, string, SignForm, string, string?]>([
    ['key_not_found', 'hidden', good, 'sign-claims'],
    ['wrong_purpose', 'documents', good, 'sign-claims'],
    ['wrong_purpose', 'reports', message, 'sign-message'],
    ['operation_not_granted', 'readable', good, 'sign-claims'],
    ['malformed_signing_input', 'reports', { kind: 'signingInput', text: '' }, 'sign-input'],
    [
      'claim_not_allowed',
      'reports',
      { kind: 'claims', claims: { sub: '', jti: '' } },
      'sign-claims',
    ],
    ['claims_refused', 'reports', { kind: 'claims', claims: {} }, 'sign-claims', 'sub.required'],
    // Without the name of the claim, which is the caller's text.
    [
      'claims_refused',
      'reports',
      { kind: 'claims', claims: { sub: '', parked: 1 } },
      'sign-claims',
      'unlisted',
    ],
  ])('%s on %s', async (code, key, form, operation, rule) => {
    const { sign, audit, clock } = await service()
    expect(await sign(form, key)).toBe(code)
    expect(audit.denials).toEqual([
      {
        type: 'denial',
        at: clock.now(),
        request: 'a-request',
        caller: 'blog-backend',
        key,
        operation,
        code,
        rule,
        count: 1,
      },
    ])
  })

  test.each(['suspended', 'version_revoked', 'version_not_active'] as const)(
    '%s, of which the audit’s transaction leaves no record',
    async (code) => {
      const { sign, audit } = await service()
      audit.answerIntents(refusing(code))
      expect(await sign(good, 'reports')).toBe(code)
      expect(audit.events).toEqual([`denial ${code}`])
      expect(audit.denials).toEqual([
        expect.objectContaining({ code, key: 'reports', operation: 'sign-claims' }),
      ])
    },
  )
})

describe('what failed is not denied', () => {
  test.each(['vault_unavailable', 'vault_denied', 'signature_invalid'] as const)(
    '%s',
    async (code) => {
      const { sign, audit, vault } = await service()
      vault.answer(failing(new ServiceError(code, 'A failure')))
      expect(await sign(good, 'reports')).toBe(code)
      expect(audit.denials).toEqual([])
    },
  )

  test.each(['audit_unavailable', 'overloaded'] as const)('%s', async (code) => {
    const { sign, audit } = await service()
    audit.answerIntents(refusing(code))
    expect(await sign(good, 'reports')).toBe(code)
    expect(audit.denials).toEqual([])
  })

  test('a key without a version', async () => {
    const { sign, audit } = await service()
    expect(await sign(good, 'empty')).toBe('no_active_version')
    expect(audit.events).toEqual([])
  })

  test('a released signature', async () => {
    const { sign, audit } = await service()
    expect(await sign(good, 'reports')).toBe('released')
    expect(audit.denials).toEqual([])
  })
})

describe('fingerprints', () => {
  const caller = { name: 'blog-backend', attributes: {} }
  const read = (key: string, part: object = {}) => ({
    request: 'a-request',
    callerRequest: undefined,
    caller,
    key,
    version: 'signing' as const,
    ...part,
  })

  test.each([
    ['key_not_found', 'hidden'],
    ['key_not_found', 'nobody-has-this'],
    ['operation_not_granted', 'bot'],
  ])('%s on %s is recorded', async (code, key) => {
    const { deps, audit } = await service()
    expect(() => readFingerprints(deps, read(key))).toThrow(expect.objectContaining({ code }))
    expect(audit.denials).toEqual([
      expect.objectContaining({ code, key, operation: 'read-fingerprint', caller: 'blog-backend' }),
    ])
  })

  test('that are read leave no record', async () => {
    const { deps, audit } = await service()
    expect(readFingerprints(deps, read('reports'))).toMatchObject([{ version: 1 }])
    expect(() => readFingerprints(deps, read('reports', { version: 9 }))).toThrow(
      expect.objectContaining({ code: 'not_found' }),
    )
    expect(audit.events).toEqual([])
  })
})

test('an error while deciding is a denial, and its words stay inside', async () => {
  const { deps, audit } = await service()
  const grants = {
    on: () => {
      throw new Error('canary')
    },
  }
  const asked = signFor({ ...deps, grants }, commandFor('reports', good), patience)
  await expect(asked).rejects.toThrow('canary')
  expect(audit.asked).toEqual([])
  expect(audit.denials).toEqual([expect.objectContaining({ code: 'internal_error' })])
})
