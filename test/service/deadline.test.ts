import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { signFor } from '../../src/service/sign.ts'
import { house } from '../support/house.ts'
import { isPending, settle } from '../support/pending.ts'
import { commandFor, signingService } from '../support/signing-service.ts'
import { held } from '../support/watched-signer.ts'

/** A request whose signal the test fires; the vault and the audit answer when they are let go. */
async function slowSigning() {
  const { vault, ...setting } = house()
  const service = await signingService(setting)
  const limit = new AbortController()
  const { onItsWay, letGo } = held()
  vault.answer(onItsWay)
  const recorded = Promise.withResolvers<number>()
  service.audit.answerIntents(() => recorded.promise)
  const command = commandFor('reports', { kind: 'claims', claims: { sub: '42' } })
  const asked = signFor(service.deps, command, limit.signal)
  const expire = () => limit.abort(new ServiceError('deadline_exceeded', 'The deadline passed'))
  return { ...service, vault, asked, expire, letGo, record: () => recorded.resolve(0) }
}

describe('when the deadline passes', () => {
  test('while the vault signs: nothing is released, and the outcome is recorded', async () => {
    const { asked, expire, record, letGo, audit } = await slowSigning()
    record()
    expect(await isPending(asked)).toBe(true)
    expire()
    await expect(asked).rejects.toMatchObject({ code: 'deadline_exceeded' })
    await settle()
    expect(audit.events).toEqual(['intent', 'outcome deadline_exceeded'])
    letGo()
    await settle()
    expect(audit.events).toEqual(['intent', 'outcome deadline_exceeded'])
    expect(audit.outcomes[0]).toMatchObject({ signatureDigest: undefined })
  })

  test('while the intent is written: the signature is dropped, and the outcome follows the intent', async () => {
    const { asked, expire, record, letGo, audit } = await slowSigning()
    letGo()
    expect(await isPending(asked)).toBe(true)
    expire()
    await expect(asked).rejects.toMatchObject({ code: 'deadline_exceeded' })
    expect(audit.events).toEqual([])
    record()
    await settle()
    expect(audit.events).toEqual(['intent', 'outcome deadline_exceeded'])
  })

  test('while both are under way: whatever comes of them later is dropped', async () => {
    const { asked, expire, record, letGo, audit } = await slowSigning()
    expire()
    await expect(asked).rejects.toMatchObject({ code: 'deadline_exceeded' })
    letGo()
    record()
    await settle()
    expect(audit.events).toEqual(['intent', 'outcome deadline_exceeded'])
  })

  test('while the state is looked at again: a late signature stays inside', async () => {
    const { asked, expire, record, letGo, audit, clock } = await slowSigning()
    const [looking, started] = [Promise.withResolvers<number>(), Promise.withResolvers<void>()]
    audit.answerChecks(() => {
      started.resolve()
      return looking.promise
    })
    record()
    await settle()
    clock.advance(2_001)
    letGo()
    await started.promise
    expect(await isPending(asked)).toBe(true)
    expire()
    await expect(asked).rejects.toMatchObject({ code: 'deadline_exceeded' })
    looking.resolve(clock.monotonicMs())
    await settle()
    expect(audit.events).toEqual(['intent', 'check', 'outcome deadline_exceeded'])
  })

  test('the vault is told', async () => {
    const { vault, ...setting } = house()
    const { deps } = await signingService(setting)
    const limit = new AbortController()
    const seen = Promise.withResolvers<AbortSignal>()
    vault.answer((signature, signal) => {
      seen.resolve(signal)
      return new Promise(() => signature)
    })
    const command = commandFor('reports', { kind: 'claims', claims: { sub: '42' } })
    const asked = signFor(deps, command, limit.signal)
    const signal = await seen.promise
    limit.abort(new ServiceError('deadline_exceeded', 'The deadline passed'))
    await expect(asked).rejects.toMatchObject({ code: 'deadline_exceeded' })
    expect(signal.aborted).toBe(true)
  })
})

test('a caller that has gone is answered by nothing, whatever its reason is', async () => {
  const { vault, ...setting } = house()
  const { deps, audit } = await signingService(setting)
  const gone = new AbortController()
  vault.answer(() => new Promise(() => {}))
  const command = commandFor('reports', { kind: 'claims', claims: { sub: '42' } })
  const asked = signFor(deps, command, gone.signal)
  gone.abort('the socket was closed')
  await expect(asked).rejects.toBe('the socket was closed')
  await settle()
  expect(audit.events).toEqual(['intent', 'outcome internal_error'])
})
