import { createHmac, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type Bytes, equalBytes, utf8 } from '../../src/lib/bytes.ts'
import {
  type Algorithm,
  algorithm,
  algorithmNames,
  type AlgorithmName,
  type MacAlgorithm,
  type PublicAlgorithm,
} from '../../src/signing/algorithms.ts'
import { algorithmMismatch, publicKeyFromSpki } from '../../src/signing/public-key.ts'
import { custodies } from '../../src/signing/signer.ts'
import {
  codeOf,
  inputOf,
  longest,
  numbered,
  open,
  openedPair,
  signal,
  signatureBytes,
  signed,
  type SignerHarness,
  signsEmpty,
  spkiOf,
} from './signer-harness.ts'
import { describeDigests } from './digest-suite.ts'
import { jwsOf, joseVerifies, nodeVerifies, publicKeyOf } from './verifiers.ts'

/** What it means to be a provider: one that passes needs no other test of signing. */
export function describeSigner(harness: SignerHarness): void {
  describe.each(harness.algorithms)(`${harness.provider}: %s`, (name) => {
    describeAlgorithm(harness, algorithm(name))
  })
  describe(`${harness.provider}: what is not there`, () => {
    describeForeign(harness)
  })
}

function describeAlgorithm(harness: SignerHarness, row: Algorithm): void {
  const { secretOf, messageBytesMax } = harness
  describeRequest(harness, row)
  describePinning(harness, row)
  if (row.kty !== 'oct') describeKeyPair(harness, row)
  describeDigests(harness, row)
  if (row.kty === 'EC') describeEcdsa(harness, row)
  if (row.kty === 'RSA' && row.padding === 'pss') describePss(harness, row)
  if (row.kty === 'oct') describeHmac(harness, row)
  if (row.kty === 'oct' && secretOf) describeKnownSecret(harness, row, secretOf)
  if (messageBytesMax?.(row.name) !== undefined) describeLimit(harness, row)
  if (!signsEmpty(harness, row)) describeNoEmpty(harness, row)
  else if (row.kty !== 'oct') describeEmpty(harness, row)
}

function describeEmpty(harness: SignerHarness, row: PublicAlgorithm): void {
  test('an empty message has a signature that verifies', async () => {
    const [signer] = await open(harness, row)
    const key = publicKeyOf(await spkiOf(signer))
    const signature = await signed(signer, row, new Uint8Array())
    expect(nodeVerifies(key, row, new Uint8Array(), signature)).toBe(true)
  })
}

function describeKeyPair(harness: SignerHarness, row: PublicAlgorithm): void {
  const { atOnce = 64 } = harness
  const pair = openedPair(harness, row)

  test('[C2] [C4] a signature verifies under its own key and under no other', async () => {
    const [one, other] = pair()
    const message = utf8('a message')
    const signature = await signed(one.signer, row, message)
    expect(nodeVerifies(one.key, row, message, signature)).toBe(true)
    expect(nodeVerifies(other.key, row, message, signature)).toBe(false)
    expect(nodeVerifies(one.key, row, utf8('A message'), signature)).toBe(false)
  })

  test('[C2] jose takes a JWS with the vault’s own public key, and with no other', async () => {
    const [one, other] = pair()
    const jws = await jwsOf(row, (signingInput) => signed(one.signer, row, signingInput))
    expect(await joseVerifies(jws, one.key, row)).toBe(true)
    expect(await joseVerifies(jws, other.key, row)).toBe(false)
  })

  test('[C13] the public key is canonical SPKI, stable, and fits the algorithm', async () => {
    const [one, other] = pair()
    const again = await (await open(harness, row))[0].publicKey(signal)
    expect(publicKeyFromSpki(one.spki).spki).toEqual(new Uint8Array(one.spki))
    expect(algorithmMismatch(one.key, row)).toBeUndefined()
    expect(again).toEqual(one.spki)
    expect(await one.signer.publicKey(signal)).toEqual(one.spki)
    expect(equalBytes(one.spki, other.spki)).toBe(false)
  })

  test(`[C16] ${atOnce} signatures at once all verify, each over its own message`, async () => {
    const [{ signer, key }] = pair()
    const messages = numbered(atOnce)
    const signatures = await Promise.all(messages.map((message) => signed(signer, row, message)))
    const genuine = signatures.filter((signature, at) =>
      nodeVerifies(key, row, messages[at] ?? utf8('none'), signature),
    )
    expect(genuine).toHaveLength(atOnce)
  })

  test('[C5] the longest message is signed whole', async () => {
    const [{ signer, key }] = pair()
    const message = longest(harness, row)
    const cut = message.subarray(0, -1)
    const signature = await signed(signer, row, message)
    expect(nodeVerifies(key, row, message, signature)).toBe(true)
    expect(nodeVerifies(key, row, cut, signature)).toBe(false)
  })

  test('the signature has exactly the length of its JOSE form', async () => {
    const [{ signer, key }] = pair()
    expect(await signed(signer, row, utf8('a message'))).toHaveLength(signatureBytes(row, key))
  })
}

/** An integer of r or s is short once in 128 signatures: DER then has fewer bytes, JOSE has not. */
function describeEcdsa(harness: SignerHarness, row: PublicAlgorithm): void {
  test('[C1] 200 signatures are r || s at full width, and verify', async () => {
    const [signer] = await open(harness, row)
    const key = publicKeyOf(await spkiOf(signer))
    const messages = numbered(200)
    const signatures: Bytes[] = []
    for (const message of messages) signatures.push(await signed(signer, row, message))
    const lengths = new Set(signatures.map(({ length }) => length))
    expect([...lengths]).toEqual([signatureBytes(row, key)])
    const genuine = signatures.filter((signature, at) =>
      nodeVerifies(key, row, messages[at] ?? utf8('none'), signature),
    )
    expect(genuine).toHaveLength(200)
  })
}

function describePss(harness: SignerHarness, row: PublicAlgorithm): void {
  test('[C3] the salt is exactly as long as the hash', async () => {
    const [signer] = await open(harness, row)
    const key = publicKeyOf(await spkiOf(signer))
    const message = utf8('a message')
    const signature = await signed(signer, row, message)
    const hashBytes = Number(row.name.slice(2)) / 8
    const modulusBytes = signature.length
    const taken = [
      0,
      20,
      hashBytes - 1,
      hashBytes,
      hashBytes + 1,
      modulusBytes - hashBytes - 2,
    ].filter((saltBytes) => nodeVerifies(key, row, message, signature, saltBytes))
    expect(taken).toEqual([hashBytes])
  })
}

function describeHmac(harness: SignerHarness, row: MacAlgorithm): void {
  test('there is no public key', async () => {
    const [signer] = await open(harness, row)
    expect(await signer.publicKey(signal)).toBeUndefined()
  })

  test('a MAC has the full length, and is another one under another secret', async () => {
    const [one, other] = await open(harness, row)
    const message = utf8('a message')
    const mac = await signed(one, row, message)
    expect(mac).toHaveLength(row.macBytes)
    expect(equalBytes(mac, await signed(one, row, message))).toBe(true)
    expect(equalBytes(mac, await signed(other, row, message))).toBe(false)
  })
}

function describeKnownSecret(
  harness: SignerHarness,
  row: MacAlgorithm,
  secretOf: (name: AlgorithmName) => KeyObject,
): void {
  test('[C4] the MAC is Node’s own, over the message and not its digest', async () => {
    const [signer] = await open(harness, row)
    const secret = secretOf(row.name)
    const empty = signsEmpty(harness, row) ? [new Uint8Array()] : []
    for (const message of [...empty, utf8('a message'), longest(harness, row)]) {
      const expected = createHmac(row.hash, secret).update(message).digest('hex')
      expect(Buffer.from(await signed(signer, row, message)).toString('hex')).toBe(expected)
    }
    const jws = await jwsOf(row, (signingInput) => signed(signer, row, signingInput))
    expect(await joseVerifies(jws, secret, row)).toBe(true)
  })
}

function describeRequest(harness: SignerHarness, row: Algorithm): void {
  test('[C10] an aborted signal ends with its reason, and bills nothing', async () => {
    const [signer] = await open(harness, row)
    const billed = harness.requestsBilled?.()
    const reason = new Error('the caller has gone')
    const aborted = AbortSignal.abort(reason)
    await expect(signer.sign(inputOf(row, utf8('a message')), row, aborted)).rejects.toBe(reason)
    await expect(signer.publicKey(aborted)).rejects.toBe(reason)
    expect(harness.requestsBilled?.()).toBe(billed)
  })
}

function describeLimit(harness: SignerHarness, row: Algorithm): void {
  test('[C5] a message over the limit is refused before it is billed', async () => {
    const [signer] = await open(harness, row)
    const billed = harness.requestsBilled?.()
    const tooLong = new Uint8Array(longest(harness, row).length + 1)
    await expect(signed(signer, row, tooLong)).rejects.toMatchObject({ code: 'message_too_large' })
    expect(harness.requestsBilled?.()).toBe(billed)
  })
}

function describeNoEmpty(harness: SignerHarness, row: Algorithm): void {
  test('[C5] an empty message is refused before it is billed', async () => {
    const [signer] = await open(harness, row)
    const billed = harness.requestsBilled?.()
    const asked = signed(signer, row, new Uint8Array())
    await expect(asked).rejects.toMatchObject({ code: 'malformed_request' })
    expect(harness.requestsBilled?.()).toBe(billed)
  })
}

function describePinning(harness: SignerHarness, row: Algorithm): void {
  const others = algorithmNames.filter((name) => name !== row.name)
  const isShared = (name: AlgorithmName) =>
    harness.rsaKeysAreShared === true && row.kty === 'RSA' && algorithm(name).kty === 'RSA'

  test('[C6] the version opens for no other algorithm', async () => {
    const vault = await harness.vault()
    const [resource] = await harness.resources(row.name)
    const unfit = others.filter((name) => !isShared(name))
    const codes = await Promise.all(
      unfit.map((name) => codeOf(vault.open({ resource, algorithm: name }, signal))),
    )
    expect(new Set(codes)).toEqual(new Set(['vault_key_unusable']))
  })

  test('[C6] an opened version signs with no other algorithm', async () => {
    const [signer] = await open(harness, row)
    const message = utf8('a message')
    const codes = await Promise.all(
      others.map((name) => codeOf(signed(signer, algorithm(name), message))),
    )
    expect(new Set(codes)).toEqual(new Set(['vault_key_unusable']))
  })
}

function describeForeign(harness: SignerHarness): void {
  const [name] = harness.algorithms

  test.each(harness.foreignResources)('[C12] %j is no version of this vault', async (resource) => {
    const vault = await harness.vault()
    const codes = harness.algorithms.map((one) =>
      codeOf(vault.open({ resource, algorithm: one }, signal)),
    )
    expect(new Set(await Promise.all(codes))).toEqual(new Set(['vault_key_unusable']))
  })

  test.each(harness.foreignResources)('[C11] the refusal of %j names nothing', async (resource) => {
    const vault = await harness.vault()
    const refusal = await vault.open({ resource, algorithm: name ?? 'ES256' }, signal).then(
      () => new Error('it was opened'),
      (error: unknown) => error,
    )
    const shown = refusal instanceof Error ? refusal.message : ''
    const internals = [...harness.internals(), resource].filter((text) => text.length > 0)
    expect(shown).not.toBe('')
    expect(internals.filter((text) => shown.includes(text))).toEqual([])
  })

  test('[C10] opening ends with the reason of an aborted signal', async () => {
    const vault = await harness.vault()
    const [resource] = await harness.resources(name ?? 'ES256')
    const reason = new Error('the process is stopping')
    const opening = vault.open({ resource, algorithm: name ?? 'ES256' }, AbortSignal.abort(reason))
    await expect(opening).rejects.toBe(reason)
  })

  test('the vault says in whose custody a version is', async () => {
    const one = name ?? 'ES256'
    const [resource] = await harness.resources(one)
    const { custody } = await (await harness.vault()).open({ resource, algorithm: one }, signal)
    expect(custodies).toContain(custody)
  })
}
