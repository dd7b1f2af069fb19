import { afterAll, beforeAll, expect, test } from 'vitest'
import { kmsAgreement } from '../conformance/kms-agreement.ts'
import { type AskedKms, askedKms, outcomeOf } from '../conformance/kms-agreement/asked.ts'
import { fakeKms, type FakeKms } from './fake-kms.ts'

/** The fake's half of the table that the emulator tier puts to it and to LocalStack. */

let fake: FakeKms
let kms: AskedKms

beforeAll(async () => {
  fake = await fakeKms()
  kms = askedKms(fake.endpoint)
})
afterAll(async () => {
  kms.sdk.destroy()
  await fake[Symbol.asyncDispose]()
})

test.each(kmsAgreement)('$asked: $real, as AWS does it', async (row) => {
  expect(await outcomeOf(row, kms)).toBe(row.real)
})

test('every question is asked once', () => {
  const questions = kmsAgreement.map(({ asked }) => asked)
  expect(questions.length).toBeGreaterThan(60)
  expect(new Set(questions).size).toBe(questions.length)
})
