import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { openLocalVault } from '../../../providers/local/signer.ts'
import { utf8 } from '../../../src/lib/bytes.ts'
import { algorithm, type AlgorithmName } from '../../../src/signing/algorithms.ts'
import type { Signer } from '../../../src/signing/signer.ts'
import { memoryKey, memoryKeyPair } from '../../support/memory-key.ts'
import { materialOf, openVersion, sealKey, sealMaterial } from '../../support/vault-directory.ts'
import { someIntent, vaultOfThisTest } from '../../support/vault-directory.ts'

const { signal } = new AbortController()
const message = utf8('a message')
const signWith = (signer: Signer, name: AlgorithmName, stop = signal) =>
  signer.sign({ message, digest: undefined }, algorithm(name), stop)

/** Two versions in a vault that signs one at a time, and one that needs no thread. */
async function narrowVault() {
  const home = await vaultOfThisTest()
  const vault = await openLocalVault(home, { concurrency: 1 })
  const open = async (name: string, algorithmName: AlgorithmName) => {
    const { secret: key } = memoryKey(algorithmName)
    const resource = await sealKey(home, { name, algorithm: algorithmName, key })
    return vault.open({ resource, algorithm: algorithmName }, signal)
  }
  return { rsa: await open('rsa@1', 'RS256'), p384: await open('ec@1', 'ES384'), open }
}

describe('the thread pool', () => {
  test('one queue for the whole vault: what does not fit is refused at once', async () => {
    const { rsa, p384 } = await narrowVault()
    const first = Array.from({ length: 300 }, () => signWith(rsa, 'RS256'))
    const second = Array.from({ length: 215 }, () => signWith(p384, 'ES384'))
    const ends = await Promise.allSettled([...first, ...second])
    const refused = ends.flatMap((end) =>
      end.status === 'rejected' ? [end.reason as unknown] : [],
    )
    // One is being signed and 512 wait: of 515, two are too many.
    expect(refused).toHaveLength(2)
    expect(refused[0]).toMatchObject({ code: 'overloaded', details: { retryAfterMs: 1_000 } })
  })

  test('what is signed without a thread waits for none', async () => {
    const { rsa, open } = await narrowVault()
    const quick = await open('quick@1', 'ES256')
    const order: string[] = []
    const slow = Array.from({ length: 20 }, async () => {
      await signWith(rsa, 'RS256')
      order.push('slow')
    })
    await signWith(quick, 'ES256')
    order.push('quick')
    await Promise.all(slow)
    expect(order[0]).toBe('quick')
  })

  test('[C10] whoever is aborted while waiting gets the reason now, and the queue goes on', async () => {
    const { rsa } = await narrowVault()
    const controller = new AbortController()
    const before = Array.from({ length: 50 }, () => signWith(rsa, 'RS256'))
    const waiting = signWith(rsa, 'RS256', controller.signal)
    const after = signWith(rsa, 'RS256')
    const reason = new Error('the caller has gone')
    let hasEnded = false
    void Promise.all(before).then(() => (hasEnded = true))
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    expect(hasEnded).toBe(false)
    expect(await after).toHaveLength(256)
  })
})

const rsa = (modulusLength: number, publicExponent = 65_537) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey
const secret = (bytes: number) => createSecretKey(Buffer.alloc(bytes, 7))

describe('a key that does not fit its algorithm is refused when it is opened', () => {
  const misfits: readonly (readonly [string, AlgorithmName, () => KeyObject, string])[] = [
    ['RSA-1024', 'RS256', () => rsa(1024), 'RSA smaller than 2048 bits'],
    ['RSA with e = 3', 'PS256', () => rsa(2048, 3), 'RSA with an exponent other than 65537'],
    ['a key typed rsa-pss', 'PS256', () => pssTyped(), 'not an RSA key'],
    ['P-384 for ES256', 'ES256', () => ec('P-384'), 'not on P-256'],
    ['secp256k1', 'ES256', () => ec('secp256k1'), 'not on P-256'],
    ['P-256 for RS256', 'RS256', () => ec('P-256'), 'not an RSA key'],
    ['Ed448', 'EdDSA', () => generateKeyPairSync('ed448').privateKey, 'not an Ed25519 key'],
    ['an empty secret', 'HS256', () => secret(0), 'a secret shorter than 32 bytes'],
    ['a secret of 31 bytes', 'HS256', () => secret(31), 'a secret shorter than 32 bytes'],
    ['a secret for HS384', 'HS512', () => secret(48), 'a secret shorter than 64 bytes'],
  ]

  test.each(misfits)('%s', async (_what, name, key, why) => {
    const home = await vaultOfThisTest()
    const resource = await sealKey(home, { name: 'odd@1', algorithm: name, key: key() })
    await expect(openVersion(home, resource, name)).rejects.toMatchObject({
      code: 'vault_key_unusable',
      message: `The key does not fit ${name}: ${why}`,
    })
  })

  const header = { version: 'odd@1', algorithm: 'ES256', intent: someIntent } as const

  test('a public key that is not that of the private one', async () => {
    const home = await vaultOfThisTest()
    const { spki } = memoryKeyPair('ES256', 'other').publicKey
    const material = materialOf(memoryKey('ES256').secret)
    const resource = await sealMaterial(home, { ...header, spki }, material)
    await expect(openVersion(home, resource, 'ES256')).rejects.toMatchObject({
      code: 'vault_key_unusable',
      message: 'The sealed file has the public key of another pair',
    })
  })

  test('a file without the public key', async () => {
    const home = await vaultOfThisTest()
    const material = materialOf(memoryKey('ES256').secret)
    const resource = await sealMaterial(home, header, material)
    await expect(openVersion(home, resource, 'ES256')).rejects.toMatchObject({
      code: 'vault_key_unusable',
    })
  })

  test('what is no private key at all', async () => {
    const home = await vaultOfThisTest()
    const { spki } = memoryKeyPair('ES256').publicKey
    const resource = await sealMaterial(home, { ...header, spki }, new Uint8Array(32))
    await expect(openVersion(home, resource, 'ES256')).rejects.toMatchObject({
      code: 'vault_key_unusable',
      message: 'What is sealed is no private key',
    })
  })
})

function pssTyped(): KeyObject {
  return generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey
}
