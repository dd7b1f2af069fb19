import { expect, test } from 'vitest'
import { permits } from './key-policy.ts'

const signer = 'arn:aws:iam::111122223333:role/signer'
const rotator = 'arn:aws:iam::111122223333:role/rotator'
const own = (Effect: string, AWS: string, Action: string, Condition?: object) => {
  return {
    Sid: 'One',
    Effect,
    Principal: { AWS: [AWS] },
    Action: [Action],
    Resource: '*',
    Condition,
  }
}
const policy = (...Statement: readonly object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement })
const request = (part = {}) => {
  return {
    principal: signer,
    action: 'kms:Sign',
    context: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256' },
    ...part,
  }
}
const oneAlgorithm = { StringEquals: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256' } }

test.each([
  ['what is allowed', policy(own('Allow', signer, 'kms:Sign', oneAlgorithm)), request(), true],
  ['nothing that nobody allows', policy(), request(), false],
  [
    'no other principal',
    policy(own('Allow', signer, 'kms:Sign')),
    request({ principal: rotator }),
    false,
  ],
  ['no other action', policy(own('Allow', signer, 'kms:DisableKey')), request(), false],
  [
    'no other value',
    policy(own('Allow', signer, 'kms:Sign', oneAlgorithm)),
    request({ context: { 'kms:SigningAlgorithm': 'ECDSA_SHA_384' } }),
    false,
  ],
  [
    'no request that carries no value',
    policy(own('Allow', signer, 'kms:Sign', oneAlgorithm)),
    request({ context: {} }),
    false,
  ],
  [
    'nothing that is also denied',
    policy(own('Allow', signer, 'kms:Sign'), own('Deny', '*', 'kms:Sign')),
    request(),
    false,
  ],
  [
    'what is denied to others only',
    policy(
      own('Allow', signer, 'kms:Sign'),
      own('Deny', '*', 'kms:Sign', { ArnNotEquals: { 'aws:PrincipalArn': [signer] } }),
    ),
    request(),
    true,
  ],
  [
    'not whom it is denied to',
    policy(
      own('Allow', rotator, 'kms:Sign'),
      own('Deny', '*', 'kms:Sign', { ArnNotEquals: { 'aws:PrincipalArn': [signer] } }),
    ),
    request({ principal: rotator }),
    false,
  ],
  [
    'nothing of another value than must be',
    policy(
      own('Allow', signer, 'kms:Sign'),
      own('Deny', '*', 'kms:Sign', {
        StringNotEquals: { 'kms:SigningAlgorithm': 'ECDSA_SHA_384' },
      }),
    ),
    request(),
    false,
  ],
])('a key’s policy permits %s', (_, document, asked, expected) => {
  expect(permits(document, asked)).toBe(expected)
})

test('an operator that nobody has written down is refused, not passed over', () => {
  const odd = policy(
    own('Allow', signer, 'kms:Sign', { StringLike: { 'kms:SigningAlgorithm': '*' } }),
  )
  expect(() => permits(odd, request())).toThrow('StringLike')
})
