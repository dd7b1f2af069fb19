import { createSecretKey, hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { assertKnownAnswer, knownAnswer } from '../../src/keys/known-answer.ts'
import { looksLikeSigningInput } from '../../src/policy/signing-input.ts'
import type { Signer } from '../../src/signing/signer.ts'
import { answering, memoryKey, memoryKeyOf } from '../support/memory-key.ts'

const { signal } = new AbortController()

describe.each(['HS256', 'HS384', 'HS512'] as const)('%s', (name) => {
  const one = memoryKey(name, 'one')
  const other = memoryKey(name, 'other')
  const swapped = expect.objectContaining({
    code: 'vault_key_unusable',
    message: 'The vault holds another secret than was recorded',
  })

  test('the same secret gives the same answer, time after time', async () => {
    const expected = await knownAnswer(one.signer, one.algorithm, signal)
    await expect(
      assertKnownAnswer(one.signer, one.algorithm, expected, signal),
    ).resolves.toBeUndefined()
  })

  test('a swapped secret is refused', async () => {
    const expected = await knownAnswer(one.signer, one.algorithm, signal)
    const asked = assertKnownAnswer(other.signer, one.algorithm, expected, signal)
    await expect(asked).rejects.toEqual(swapped)
  })

  test('an answer that was never recorded is no answer', async () => {
    const asked = assertKnownAnswer(one.signer, one.algorithm, undefined, signal)
    await expect(asked).rejects.toEqual(swapped)
  })

  test('a MAC of another length is caught before it is compared', async () => {
    const signer = answering(new Uint8Array(16))
    await expect(knownAnswer(signer, one.algorithm, signal)).rejects.toMatchObject({
      code: 'signature_invalid',
    })
  })

  test('what is kept is a digest of the MAC: no verifier takes it for one', async () => {
    const macs: Uint8Array[] = []
    const watched: Signer = {
      ...one.signer,
      sign: async (...asked) => {
        const mac = await one.signer.sign(...asked)
        macs.push(mac)
        return mac
      },
    }
    const kept = await knownAnswer(watched, one.algorithm, signal)
    expect(macs.map((mac) => new Uint8Array(hash('sha256', mac, 'buffer')))).toEqual([kept])
    expect(macs[0]).not.toEqual(kept)
  })
})

test('the fixed text can be no JWS', async () => {
  const texts: Uint8Array[] = []
  const { signer, algorithm } = memoryKey('HS256')
  const watched: Signer = {
    ...signer,
    sign: (input, row, abort) => {
      texts.push(input.message ?? input.digest)
      return signer.sign(input, row, abort)
    },
  }
  await knownAnswer(watched, algorithm, signal)
  expect(texts.map((text) => new TextDecoder().decode(text))).toEqual([
    'chancery known answer test, not a JWS',
  ])
  expect(texts.map(looksLikeSigningInput)).toEqual([false])
})

// It stands in stores, so the text and the form may never change. The value is openssl's.
test('the answer of a known secret is what it always was', async () => {
  const key = memoryKeyOf('HS256', createSecretKey(Buffer.alloc(32, 7)))
  const answer = await knownAnswer(key.signer, key.algorithm, signal)
  expect(Buffer.from(answer).toString('hex')).toBe(
    'dc9dd39f0f500b60d03813c6053800b1da28c507b8bcc9f16fe59b2994b61b71',
  )
})
