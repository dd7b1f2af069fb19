import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { figure } from '../support/figure.ts'
import { badBodies } from './bad-input/bodies.ts'
import { badApiKeyTokens, badClaims } from './bad-input/claim-sets.ts'
import { badCredentials } from './bad-input/credentials.ts'
import { type Installation, installation } from './bad-input/installation.ts'
import { token } from './bad-input/issuer.ts'
import { claims, digest, input, message, type Sent, written } from './bad-input/row.ts'
import { badSigningInputs } from './bad-input/signing-inputs.ts'

/** Every bad request that we could think of, each with its exact status and code. */
const table = {
  credentials: badCredentials,
  bodies: badBodies,
  'signing inputs': badSigningInputs,
  claims: badClaims,
  'API key tokens': badApiKeyTokens,
}

let service: Installation
beforeAll(async () => {
  service = await installation()
})
afterAll(() => service.close())

/** The requests that the bad ones were made of: else a row could be refused for another reason. */
const good: Readonly<Record<string, Sent>> = {
  'an API key': claims({ sub: '42' }),
  'an OIDC token': { ...claims({ sub: '42' }), ...token({}) },
  'a signing input': input({}),
  'a message': message('a'),
  'a digest': digest(32),
  'GitHub claims': { ...claims({}), key: 'bot' },
  'claims of an API key token': { ...claims({ fingerprint: 'f' }), key: 'face-sdk' },
  'an API key token': {
    ...written({ alg: 'HS256', typ: 'JWT' }, { key_id: 'id-2', fingerprint: 'f' }),
    key: 'face-sdk',
  },
}

test.each(Object.entries(good))('%s is good without the fault', async (_, sent) => {
  expect(await service.put(sent)).toBe('200 undefined')
})

describe.each(Object.entries(table))('bad %s', (_, rows) => {
  test.each(rows)('%s', async (_what, sent, answer) => {
    const [kid] = service.listener.keys.visible('reports').map((version) => version.kid)
    expect(await service.put(sent)).toBe(answer.replace('<kid>', kid ?? ''))
  })
})

test('the table is long, says each thing once, and nothing in it was signed', async () => {
  const rows = Object.values(table).flat()
  for (const [name, part] of Object.entries(table)) {
    expect([name, new Set(part.map(([what]) => what)).size]).toEqual([name, part.length])
  }
  const before = service.listener.audit.intents.length
  for (const [, sent] of rows) await service.put(sent)
  expect(service.listener.audit.intents.length).toBe(before)
  figure(`bad input: ${rows.length} requests, 0 signed`)
  expect(rows.length).toBeGreaterThan(250)
})
