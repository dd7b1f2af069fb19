import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { kmsAgreement } from '../conformance/kms-agreement.ts'
import { type AskedKms, askedKms, outcomeOf } from '../conformance/kms-agreement/asked.ts'
import { fakeKms, type FakeKms } from '../support/fake-kms.ts'
import { figure } from '../support/figure.ts'

/** One table, put to our fake and to somebody else's. */

const had = inject('localStack')

describe.skipIf('missing' in had)('our fake of AWS KMS, and LocalStack', () => {
  let fake: FakeKms
  let ours: AskedKms
  let theirs: AskedKms

  beforeAll(async () => {
    fake = await fakeKms()
    ours = askedKms(fake.endpoint)
    theirs = askedKms('endpoint' in had ? had.endpoint : '')
  })
  afterAll(async () => {
    for (const { sdk } of [ours, theirs]) sdk.destroy()
    await fake[Symbol.asyncDispose]()
    const differing = kmsAgreement.filter(({ localStack }) => localStack !== undefined)
    figure(
      `AWS KMS: ${kmsAgreement.length} questions put to the fake and to LocalStack, which differs from AWS in ${differing.length}`,
    )
  })

  test.each(kmsAgreement)('$asked: $real', async (row) => {
    const [fakes, localStacks] = [await outcomeOf(row, ours), await outcomeOf(row, theirs)]
    expect({ fakes, localStacks }).toEqual({
      fakes: row.real,
      localStacks: row.localStack ?? row.real,
    })
  })
})
