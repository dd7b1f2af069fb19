import { describe, expect, test } from 'vitest'
import { keyName, type Source } from '../../src/keys/key.ts'
import { adopt } from '../../src/rotation/adopt.ts'
import { algorithm, type AlgorithmName } from '../../src/signing/algorithms.ts'
import { memoryKey } from '../support/memory-key.ts'
import { watchedSigner } from '../support/watched-signer.ts'

const { signal } = new AbortController()

/** What the vault was asked to sign for a version that was taken in from this source. */
async function signedFor(name: AlgorithmName, source: Source) {
  const signer = watchedSigner(memoryKey(name).signer)
  const key = {
    name: keyName.parse('reports'),
    vault: 'aws',
    algorithm: algorithm(name),
    modulusBits: undefined,
    purpose: 'bytes',
    profile: undefined,
    registry: undefined,
    source,
    methods: [],
  } as const
  const vault = {
    open: async () => ({ ...signer, custody: 'kms-generated' }) as const,
  }
  const version = await adopt(
    { key, n: 1, resource: 'a', vault, now: 0, actor: 'ada@host' },
    signal,
  )
  return { version, signatures: signer.calls.length }
}

describe('a version that is taken in', () => {
  test.each(['generated', 'imported'] as const)(
    '%s, proves by a signature that it signs',
    async (source) => {
      expect(await signedFor('ES256', source)).toMatchObject({ signatures: 1 })
    },
  )

  test('provisioned, is looked at and not signed with: that job may not', async () => {
    const { version, signatures } = await signedFor('ES256', 'provisioned')
    expect(signatures).toBe(0)
    expect(version).toMatchObject({ state: 'created', source: 'provisioned' })
    expect(version.spki).toEqual(memoryKey('ES256').publicKey?.spki)
  })

  test('provisioned, with an HMAC leaves its known answer', async () => {
    const { version, signatures } = await signedFor('HS256', 'provisioned')
    expect(signatures).toBe(1)
    expect(version.knownAnswer).toBeDefined()
  })
})
