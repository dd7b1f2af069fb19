import { describe, expect, test } from 'vitest'
import { remedied } from '../../src/cli/remedy.ts'
import { type ErrorCode, ServiceError } from '../../src/errors.ts'

const told = (code: ErrorCode, message: string, cause?: unknown) =>
  remedied(new ServiceError(code, message, { cause }))

const coded = (code: string, words = 'connect 10.0.0.7:443 for arn:aws:kms') =>
  Object.assign(new Error(words), { code })

const unreachable = 'The vault cannot be reached'

describe('what an operator is told of a vault', () => {
  test.each([
    [
      'a timeout, which has a name alone',
      Object.assign(new Error('x'), { name: 'TimeoutError' }),
      ': the vault did not answer in time; check routes, proxies and firewalls between this host and the vault (TimeoutError)',
    ],
    [
      'a cause below others',
      new Error('outer', { cause: new Error('inner', { cause: coded('CERT_HAS_EXPIRED') }) }),
      ': the vault’s TLS certificate is not valid at this time; check the clock of this host (CERT_HAS_EXPIRED)',
    ],
    [
      'a code that stands in words alone, beside a tenant',
      new Error('network_error: getaddrinfo ENOTFOUND login.acme.example'),
      ': the vault’s name is not known; check the region, URL or endpoint in its configuration, and DNS (ENOTFOUND)',
    ],
    [
      'nothing that is known',
      new Error('acme said 10.0.0.7'),
      ': try again; if it goes on, look at the vault and at the way to it',
    ],
    [
      'a code that is none',
      coded('see https://acme.example'),
      ': try again; if it goes on, look at the vault and at the way to it',
    ],
  ])('has the remedy and the code of the cause, and no words of it: %s', (_, cause, advice) => {
    expect(told('vault_unavailable', unreachable, cause)).toBe(unreachable + advice)
  })

  test('a deadline that passed has a remedy, too', () => {
    expect(told('deadline_exceeded', 'Late')).toMatch(/^Late: try again; /)
  })

  test('a message that says what to do is not added to', () => {
    const message = 'The vault denied the request: allow kms:Sign'
    expect(told('vault_denied', message)).toBe(message)
  })

  test('a code that the message names is not said again', () => {
    const message = 'The sealed file cannot be read (EACCES)'
    expect(told('vault_denied', message, coded('EACCES'))).toBe(
      `${message}: check the credentials or permissions by which it is used`,
    )
  })

  test('a cause that is its own is looked at a few times', () => {
    const own = new Error('again')
    own.cause = own
    expect(told('vault_unavailable', unreachable, own)).toMatch(/: try again; [^(]*$/)
  })
})

test('other failures say what they say', () => {
  expect(told('registry_unavailable', 'Down', coded('ECONNREFUSED'))).toBe('Down')
  expect(remedied(new TypeError('secret'))).toBe('Something went wrong in the service')
})
