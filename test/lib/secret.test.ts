import { format, inspect } from 'node:util'
import { expect, test } from 'vitest'
import { utf8 } from '../../src/lib/bytes.ts'
import { Secret } from '../../src/lib/secret.ts'

const canary = 'hunter2-canary'
const secret = new Secret(utf8(canary))

/** Every way in which a value becomes text by accident. */
test.each([
  ['a template', inTemplate(secret)],
  ['String', String(secret)],
  ['concatenation', ['', secret].join('')],
  ['JSON', JSON.stringify(secret)],
  ['JSON, inside', JSON.stringify({ pin: secret, list: [secret] })],
  ['inspect', inspect(secret)],
  ['inspect, inside and all shown', inspect({ pin: [secret] }, { depth: null, showHidden: true })],
  ['inspect of its prototype chain', inspect(secret, { customInspect: false, showHidden: true })],
  ['format', format('%s %o %O %j', secret, secret, secret, secret)],
  ['an error', inspect(new Error('failed', { cause: secret }))],
  ['a copy', JSON.stringify(Object.assign({}, secret))],
  ['its members', JSON.stringify(Object.entries(secret))],
])('%s does not show it', (_, text) => {
  const bytes = Buffer.from(canary)
  const forms = [canary, bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, '')]
  const decimals = [...bytes].join(', ')
  expect([...forms, decimals, [...bytes].join(',')].filter((form) => text.includes(form))).toEqual(
    [],
  )
})

test('what is shown says that something is hidden', () => {
  const shown = [inTemplate(secret), inspect(secret), JSON.stringify({ pin: secret })]
  expect(shown).toEqual(['[secret]', '[secret]', '{"pin":"[secret]"}'])
})

/** `${value}`, for a value that the linter would keep out of one. */
function inTemplate(value: unknown): string {
  return String.raw({ raw: ['', ''] }, value)
}

test('the bytes are there for whoever asks by name', () => {
  expect(secret.reveal()).toEqual(utf8(canary))
})
