import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { problemCodes } from '../../src/errors.ts'
import { metrics } from '../../src/ops/metrics.ts'
import { refusing } from '../support/audit-log.ts'
import { goodClaims, house } from '../support/house.ts'
import { type Ask, signListener, signPath } from '../support/sign-listener.ts'

const sources = {
  activeKeys: () => 1,
  usableKeys: () => 0,
  isReady: () => true,
  conditions: () => [],
  clocks: () => [],
}
const measured = () => metrics(sources)

/** Every series of ours: `name{labels} value`. */
async function series(from: ReturnType<typeof measured>): Promise<readonly string[]> {
  return (await from.registry.metrics()).split('\n').filter((line) => line.startsWith('chancery_'))
}

/** The sign listener as `serve` composes it, with these metrics. */
async function listening() {
  const own = measured()
  const listener = await signListener(house(), { observe: (seen) => own.observeRequest(seen) })
  return { ...listener, series: () => series(own) }
}

test('the metrics of the service are these', async () => {
  const own = measured()
  own.observeRequest({ route: 'sign', key: 'reports', code: 'ok', ms: 1 })
  own.auditFailed()
  own.vaultAnswered({ vault: 'aws', code: 'ok', ms: 1 })
  own.vaultRefused('aws', 'quota')
  own.reinspected('aws', 'unchanged')
  const names = (await own.registry.getMetricsAsJSON()).map(({ name }) => name)
  expect(names.filter((name) => name.startsWith('chancery_')).toSorted()).toEqual([
    'chancery_active_keys',
    'chancery_audit_failures_total',
    'chancery_authentication_failures_total',
    'chancery_clock_skew_seconds',
    'chancery_ready',
    'chancery_reinspections_total',
    'chancery_request_seconds',
    'chancery_requests_total',
    'chancery_usable_keys',
    'chancery_vault_breaker_open',
    'chancery_vault_refusals_total',
    'chancery_vault_request_seconds',
    'chancery_vault_requests_total',
    'chancery_vault_waiting',
  ])
})

test('a request is counted by route, key and code, and timed by route', async () => {
  const { ask, series: seen } = await listening()
  await ask(signPath('reports'), { body: goodClaims })
  await ask(signPath('reports'), { body: goodClaims })
  await ask(signPath('reports'), { body: { claims: {} } })
  await ask('/v1/keys/documents/fingerprint')
  expect(await seen()).toEqual(
    expect.arrayContaining([
      'chancery_requests_total{route="sign",key="reports",code="ok"} 2',
      'chancery_requests_total{route="sign",key="reports",code="claims_refused"} 1',
      'chancery_requests_total{route="fingerprint",key="documents",code="ok"} 1',
      'chancery_request_seconds_count{route="sign"} 3',
      'chancery_request_seconds_count{route="fingerprint"} 1',
    ]),
  )
})

test('a batch that the audit could not write is counted', async () => {
  const own = measured()
  own.auditFailed()
  own.auditFailed()
  expect(await series(own)).toContain('chancery_audit_failures_total 2')
})

test('requests to vaults are counted by vault and code, what was not sent by its reason', async () => {
  const own = measured()
  own.vaultAnswered({ vault: 'aws', code: 'ok', ms: 20 })
  own.vaultAnswered({ vault: 'aws', code: 'vault_throttled', ms: 20 })
  own.vaultRefused('aws', 'breaker')
  expect(await series(own)).toEqual(
    expect.arrayContaining([
      'chancery_vault_requests_total{vault="aws",code="ok"} 1',
      'chancery_vault_requests_total{vault="aws",code="vault_throttled"} 1',
      'chancery_vault_refusals_total{vault="aws",reason="breaker"} 1',
      'chancery_vault_request_seconds_sum{vault="aws"} 0.04',
    ]),
  )
})

test('versions that were looked at again are counted by vault and result', async () => {
  const own = measured()
  own.reinspected('aws', 'changed')
  expect(await series(own)).toContain(
    'chancery_reinspections_total{vault="aws",result="changed"} 1',
  )
})

test('each vault shows how it is whenever somebody looks', async () => {
  const states = { aws: { breakerState: 'closed', waiting: 3 } }
  const own = metrics({ ...sources, conditions: () => Object.entries(states) })
  expect(await series(own)).toEqual(
    expect.arrayContaining([
      'chancery_vault_waiting{vault="aws"} 3',
      'chancery_vault_breaker_open{vault="aws"} 0',
    ]),
  )
  states.aws = { breakerState: 'half_open', waiting: 0 }
  expect(await series(own)).toEqual(
    expect.arrayContaining([
      'chancery_vault_waiting{vault="aws"} 0',
      'chancery_vault_breaker_open{vault="aws"} 1',
    ]),
  )
})

test('seconds are measured up to the longest deadline', async () => {
  const own = measured()
  own.observeRequest({ route: 'sign', key: undefined, code: 'ok', ms: 1_500 })
  const seen = await series(own)
  expect(seen).toContain('chancery_request_seconds_bucket{le="1",route="sign"} 0')
  expect(seen).toContain('chancery_request_seconds_bucket{le="2.5",route="sign"} 1')
  expect(seen).toContain('chancery_request_seconds_bucket{le="5",route="sign"} 1')
  expect(seen).toContain('chancery_request_seconds_sum{route="sign"} 1.5')
})

describe('what a caller makes up is no label', () => {
  const madeUp = 'made-up-by-a-caller'
  const asked: readonly (readonly [string, string, Ask])[] = [
    ['without a credential', signPath(madeUp), { body: goodClaims, as: null }],
    ['without a grant', signPath(madeUp), { body: goodClaims }],
    ['for a fingerprint', `/v1/keys/${madeUp}/fingerprint`, {}],
    ['with a bad query', `/v1/keys/${madeUp}/fingerprint?${madeUp}`, {}],
    ['with a bad body', signPath(madeUp), { body: { [madeUp]: 1 } }],
    ['with a large body', signPath(madeUp), { raw: ' '.repeat(70_000) }],
    ['with a large message', signPath(madeUp), { body: { message: 'A'.repeat(12_000) } }],
    [
      'with another type',
      signPath(madeUp),
      { body: goodClaims, headers: { 'Content-Type': madeUp } },
    ],
    [
      'with a bad timeout',
      signPath(madeUp),
      { body: goodClaims, headers: { 'X-Request-Timeout': madeUp } },
    ],
    [
      'with its own id',
      signPath(madeUp),
      { body: goodClaims, headers: { 'X-Request-Id': madeUp } },
    ],
    [
      'in a path that comes near one',
      `/v1/keys/${madeUp.toUpperCase()}/sign`,
      { body: goodClaims },
    ],
    ['in an escaped path', `/v1/keys/%6d${madeUp.slice(1)}/sign`, { body: goodClaims }],
    ['behind an escaped slash', `/v1/keys/${madeUp}%2fsign/fingerprint`, {}],
    ['in a path that is none', `/v1/keys/${madeUp}/${madeUp}`, {}],
    ['by a method that is none', signPath(madeUp), { method: 'PUT' }],
    ['as claims', signPath('reports'), { body: { claims: { [madeUp]: madeUp } } }],
  ]

  test.each(asked)('%s', async (_, path, ask) => {
    const { ask: send, series: seen } = await listening()
    expect((await send(path, ask)).status).toBeGreaterThanOrEqual(400)
    expect((await seen()).join('\n').toLowerCase()).not.toContain(madeUp)
  })

  test('while the service is stopping', async () => {
    const { ask, close, series: seen } = await listening()
    close()
    await ask(signPath(madeUp), { body: goodClaims })
    expect((await seen()).join('\n')).not.toContain(madeUp)
    expect(await seen()).toContain(
      'chancery_requests_total{route="sign",key="-",code="draining"} 1',
    )
  })

  test('any number of names makes one series', async () => {
    const { ask, series: seen } = await listening()
    const count = async () =>
      (await seen()).filter((line) => line.startsWith('chancery_requests_total')).length
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{5,30}$/)
    await fc.assert(
      fc.asyncProperty(name, async (key) => {
        await ask(signPath(key), { body: goodClaims })
      }),
      { numRuns: 50 },
    )
    expect(await count()).toBe(1)
  })
})

const afterGrant: readonly string[] = [
  'wrong_purpose',
  'malformed_signing_input',
  'claim_not_allowed',
  'looks_like_jwt',
  'operation_not_granted',
  'claims_refused',
  'suspended',
  'version_revoked',
  'no_public_key',
  'version_not_active',
  'rate_limited',
  'signature_invalid',
  'vault_unavailable',
  'vault_throttled',
  'vault_denied',
  'vault_key_unusable',
  'audit_unavailable',
  'no_active_version',
]

test.each(problemCodes)(
  '%s: the key is a label only where a grant has shown that it is ours',
  async (code) => {
    const own = measured()
    own.observeRequest({ route: 'sign', key: 'some-key', code, ms: 1 })
    const shown = afterGrant.includes(code) ? 'some-key' : '-'
    expect(await series(own)).toContain(
      `chancery_requests_total{route="sign",key="${shown}",code="${code}"} 1`,
    )
  },
)

test('a refusal that the audit gives names the key, which a grant has shown', async () => {
  const { ask, audit, series: seen } = await listening()
  audit.answerIntents(refusing('suspended'))
  await ask(signPath('reports'), { body: goodClaims })
  expect(await seen()).toContain(
    'chancery_requests_total{route="sign",key="reports",code="suspended"} 1',
  )
})
