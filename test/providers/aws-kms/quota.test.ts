import { expect, test } from 'vitest'
import { quotaOf } from '../../../providers/aws-kms/quota.ts'
import { algorithm, algorithmNames } from '../../../src/signing/algorithms.ts'

test.each(algorithmNames)('%s is taken from the quota of its kind of key', (name) => {
  const row = algorithm(name)
  const pool = { RSA: 'rsa', EC: 'ecc', OKP: 'ecc', oct: 'symmetric' }[row.kty]
  const perSecond = row.kty === 'oct' ? undefined : 1_000
  expect(quotaOf(row, false)).toEqual({ pool, units: 1, perSecond })
  expect(quotaOf(row, true)).toEqual({ pool, units: 1, perSecond: undefined })
})
