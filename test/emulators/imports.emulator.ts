import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { ulidSource } from '../../src/lib/ulid.ts'
import { algorithm, algorithmNames } from '../../src/signing/algorithms.ts'
import { signMessage } from '../../src/signing/sign.ts'
import { describeImporter } from '../conformance/importer-suite.ts'
import { message } from '../conformance/kms-agreement/asked.ts'
import {
  awsEnvironment,
  awsVault,
  disablerOf,
  quickImporter,
  someArn,
} from '../support/aws-vault.ts'
import { memoryKey } from '../support/memory-key.ts'
import { tallied } from '../support/tally.ts'

/** What takes keys in, and what disables them, against somebody else's KMS. */

const had = inject('localStack')
const at = { endpoint: 'endpoint' in had ? had.endpoint : '' }
const { signal } = new AbortController()
const newId = ulidSource()

describe.skipIf('missing' in had)('LocalStack', () => {
  beforeAll(() => {
    for (const [name, value] of Object.entries(awsEnvironment)) vi.stubEnv(name, value)
  })
  afterAll(() => {
    vi.unstubAllEnvs()
  })

  tallied('LocalStack: imports')

  describeImporter({
    provider: 'aws-kms at LocalStack',
    importer: async () => quickImporter(at),
    vault: async () => awsVault(at),
    algorithms: algorithmNames,
    // It makes an RSA-4096 key for every import: one algorithm for each way in, and every secret.
    tried: ['PS256', 'ES256', 'ES512', 'HS256', 'HS384', 'HS512'],
    modulusBits: [2048, 4096],
    modulusBitsRefused: [1024, 2049, 8192],
    cheapest: 'ES256',
  })

  test('an imported key signs, and once it is disabled it neither opens nor signs', async () => {
    const { secret: material, publicKey } = memoryKey('ES256')
    const request = {
      intentId: newId(1),
      name: 'disabled@1',
      algorithm: 'ES256',
      material,
    } as const
    const resource = await quickImporter(at).import(request, signal)
    const signer = await awsVault(at).open({ resource, algorithm: 'ES256' }, signal)
    expect(signer.custody).toBe('kms-imported')
    const key = { signer, algorithm: algorithm('ES256'), publicKey }
    expect(await signMessage(key, message, signal)).toHaveLength(64)

    await disablerOf(at).disable(resource, signal)
    await disablerOf(at).disable(resource, signal)
    const unusable = { code: 'vault_key_unusable' }
    await expect(signMessage(key, message, signal)).rejects.toMatchObject(unusable)
    const opening = awsVault(at).open({ resource, algorithm: 'ES256' }, signal)
    await expect(opening).rejects.toMatchObject(unusable)
  })

  test('a key that is gone is disabled', async () => {
    await expect(disablerOf(at).disable(someArn, signal)).resolves.toBeUndefined()
  })
})
