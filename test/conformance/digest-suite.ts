import { hash } from 'node:crypto'
import { expect, test } from 'vitest'
import { type Bytes, utf8 } from '../../src/lib/bytes.ts'
import {
  type Algorithm,
  algorithm,
  algorithmNames,
  type DigestAlgorithm,
  signsHash,
} from '../../src/signing/algorithms.ts'
import { signDigest } from '../../src/signing/sign.ts'
import type { Signer } from '../../src/signing/signer.ts'
import { publicKeyFromSpki } from '../../src/signing/public-key.ts'
import {
  codeOf,
  numbered,
  open,
  openedPair,
  signal,
  signatureBytes,
  type SignerHarness,
} from './signer-harness.ts'
import { nodeVerifies } from './verifiers.ts'

/** What a vault does with a digest that comes without its message, where it says that it takes one. */
export function describeDigests(harness: SignerHarness, row: Algorithm): void {
  if (signsHash(row) && harness.signsDigests?.(row.name)) describeSigned(harness, row)
  else describeRefused(harness, row)
}

function describeSigned(harness: SignerHarness, row: DigestAlgorithm): void {
  const pair = openedPair(harness, row)

  test('[C4] a digest is signed as it is: the signature is one of the message', async () => {
    const [one, other] = pair()
    const message = utf8('a message')
    const signature = await signedDigest(one.signer, row, digestOf(row, message))
    expect(signature).toHaveLength(signatureBytes(row, one.key))
    expect(nodeVerifies(one.key, row, message, signature)).toBe(true)
    expect(nodeVerifies(other.key, row, message, signature)).toBe(false)
    expect(nodeVerifies(one.key, row, digestOf(row, message), signature)).toBe(false)
  })

  test('[C16] 4 digests at once are released after their check, each with its own signature', async () => {
    const [{ signer, spki, key }] = pair()
    const signingKey = { signer, algorithm: row, publicKey: publicKeyFromSpki(spki) }
    const messages = numbered(4)
    const signatures = await Promise.all(
      messages.map((message) => signDigest(signingKey, digestOf(row, message), signal)),
    )
    const genuine = signatures.filter((signature, at) =>
      nodeVerifies(key, row, messages[at] ?? utf8('none'), signature),
    )
    expect(genuine).toHaveLength(4)
  })

  test('[C6] an opened version signs digests with no other algorithm', async () => {
    const [{ signer }] = pair()
    const billed = harness.requestsBilled?.()
    const others = algorithmNames.filter((name) => name !== row.name)
    const digest = digestOf(row, utf8('a message'))
    const asked = others.map((name) => codeOf(signedDigest(signer, algorithm(name), digest)))
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['vault_key_unusable']))
    expect(harness.requestsBilled?.()).toBe(billed)
  })

  test('[C10] an aborted signal ends with its reason, and bills nothing', async () => {
    const [{ signer }] = pair()
    const billed = harness.requestsBilled?.()
    const reason = new Error('the caller has gone')
    const input = { message: undefined, digest: digestOf(row, utf8('a message')) }
    await expect(signer.sign(input, row, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(harness.requestsBilled?.()).toBe(billed)
  })
}

function describeRefused(harness: SignerHarness, row: Algorithm): void {
  test('[C4] a digest alone is refused before it is billed, and not signed as a message', async () => {
    const [signer] = await open(harness, row)
    const billed = harness.requestsBilled?.()
    const digest = new Uint8Array(hash('sha256', 'a message', 'buffer'))
    await expect(signedDigest(signer, row, digest)).rejects.toMatchObject({
      code: 'vault_key_unusable',
      message: `The vault signs no digests with ${row.name}`,
    })
    expect(harness.requestsBilled?.()).toBe(billed)
  })
}

function digestOf(row: DigestAlgorithm, message: Uint8Array): Bytes {
  return new Uint8Array(hash(row.hash, message, 'buffer'))
}

function signedDigest(signer: Signer, row: Algorithm, digest: Bytes): Promise<Bytes> {
  return signer.sign({ message: undefined, digest }, row, signal)
}
