import { expect, test } from 'vitest'
import { quotaOf } from '../../../providers/azure-key-vault/quota.ts'

/** In ten seconds, as the vendor's page has them. */
test.each([
  ['RSA', 2048, 4_000],
  ['RSA', 3072, 1_000],
  ['RSA', 4096, 500],
  ['RSA-HSM', 2048, 2_000],
  ['RSA-HSM', 3072, 500],
  ['RSA-HSM', 4096, 250],
  ['EC', undefined, 4_000],
  ['EC-HSM', undefined, 2_000],
])('%s %s: %i transactions fill the vault’s ten seconds', (kty, modulusBits, most) => {
  const { pool, units, perSecond = 0 } = quotaOf({ kty, modulusBits }, false)
  expect([pool, units * most]).toEqual(['vault', perSecond * 10])
  expect(quotaOf({ kty, modulusBits }, true).perSecond).toBeUndefined()
})
