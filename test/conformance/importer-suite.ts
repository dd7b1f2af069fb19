import {
  createPublicKey,
  createSecretKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../src/lib/bytes.ts'
import { ulidSource } from '../../src/lib/ulid.ts'
import { algorithm, algorithmNames, type AlgorithmName } from '../../src/signing/algorithms.ts'
import { publicKeyFromSpki, spkiOf } from '../../src/signing/public-key.ts'
import { signMessage } from '../../src/signing/sign.ts'
import type { ImportRequest, KeyImporter, Signer, Vault } from '../../src/signing/signer.ts'
import { memoryKey, memoryKeyOf } from '../support/memory-key.ts'
import { unhurried } from '../support/key-maker.ts'

export interface ImporterHarness {
  readonly provider: string
  readonly importer: () => Promise<KeyImporter>
  readonly vault: () => Promise<Vault>
  /** The vault refuses all others, in words. */
  readonly algorithms: readonly AlgorithmName[]
  /** Those of them that are put to it; all, unless it is slow or has not every one. */
  readonly tried?: readonly AlgorithmName[]
  /** Sizes of RSA that it takes. */
  readonly modulusBits: readonly number[]
  readonly modulusBitsRefused: readonly number[]
  /** The cheapest algorithm, for what is not about algorithms. */
  readonly cheapest: AlgorithmName
}

const { signal } = new AbortController()
const newKeyPair = promisify(generateKeyPair)
const ulid = ulidSource()
const message = utf8('a message')
let serial = 0

/** What it means to take a key in: what signs afterwards is that key and no other, and it is there once. */
export function describeImporter(harness: ImporterHarness): void {
  describe(`${harness.provider}: what is imported`, () => {
    describeTaken(harness)
  })
  describe(`${harness.provider}: secrets`, () => {
    describeSecrets(harness)
  })
  describe(`${harness.provider}: intents of imports`, () => {
    describeIntents(harness)
  })
}

function describeTaken(harness: ImporterHarness): void {
  const { algorithms, modulusBits, tried = algorithms } = harness
  const pairs = tried.filter((name) => algorithm(name).kty !== 'oct')

  test.each(pairs)('%s: the same public key, and signatures that it verifies', async (name) => {
    const { asked, answered } = await importedAndUsed(harness, name, memoryKey(name).secret)
    expect(answered).toEqual(asked)
  })

  test.each(modulusBits)(
    'RSA of %i bits: the same public key, and the same signature',
    async (bits) => {
      const { privateKey } = await newKeyPair('rsa', { modulusLength: bits })
      const { asked, answered } = await importedAndUsed(harness, 'RS256', privateKey)
      expect(answered).toEqual(asked)
    },
    60_000,
  ) // a key pair of RSA-4096 takes as long as chance will have it

  test('[C14] what it cannot take, it refuses in words and before it is asked', async () => {
    const importer = await harness.importer()
    const refused = algorithmNames.filter((name) => importer.refusal(name, undefined) !== undefined)
    expect(refused).toEqual(algorithmNames.filter((name) => !algorithms.includes(name)))
    const words = harness.modulusBitsRefused.map((bits) => importer.refusal('RS256', bits))
    expect(words.every((one) => one !== undefined && one.length > 10)).toBe(true)
    expect(modulusBits.map((bits) => importer.refusal('RS256', bits) ?? 'taken')).toEqual(
      modulusBits.map(() => 'taken'),
    )
  })
}

function describeSecrets(harness: ImporterHarness): void {
  const macs = harness.algorithms.filter((name) => algorithm(name).kty === 'oct')
  const others = algorithmNames.filter((name) => !macs.includes(name))
  const { tried = macs } = harness

  test.each(
    macs
      .filter((name) => tried.includes(name))
      .flatMap((name) => [[name, 'shortest'] as const, [name, 'longest'] as const]),
  )('%s: the %s secret that it takes gives the same MACs', async (name, which) => {
    const limits = (await harness.importer()).secretLimits(name)
    if (!limits) throw new Error(`${name} is among the algorithms, and has no limits`)
    expect(limits.bytesMin).toBeLessThanOrEqual(limits.bytesMax)
    const bytes = which === 'shortest' ? limits.bytesMin : limits.bytesMax
    const secret = createSecretKey(randomBytes(bytes))
    const { asked, answered } = await importedAndUsed(harness, name, secret)
    expect(answered).toEqual(asked)
  })

  test('no secret is taken for any other algorithm', async () => {
    const importer = await harness.importer()
    expect(others.filter((name) => importer.secretLimits(name) !== undefined)).toEqual([])
  })
}

function describeIntents(harness: ImporterHarness): void {
  const { cheapest } = harness

  test('an import is found by its intent, whole, and not before; also by a later process', async () => {
    const importer = await harness.importer()
    const request = requestFor(cheapest, memoryKey(cheapest).secret)
    expect(await importer.find(request, signal, unhurried)).toEqual([])
    const resource = await importer.import(request, signal)
    const found = [{ resource, fill: undefined }]
    expect(await importer.find(request, signal, unhurried)).toEqual(found)
    expect(await (await harness.importer()).find(request, signal, unhurried)).toEqual(found)
  })

  test('two intents are two keys, though the material is one', async () => {
    const importer = await harness.importer()
    const { secret } = memoryKey(cheapest)
    const one = await importer.import(requestFor(cheapest, secret), signal)
    const other = await importer.import(requestFor(cheapest, secret), signal)
    expect(one).not.toBe(other)
    const signers = [await opened(harness, cheapest, one), await opened(harness, cheapest, other)]
    const [first, second] = await Promise.all(signers.map((signer) => signer.publicKey(signal)))
    expect(first).toEqual(second)
  })

  test('[C10] an aborted signal ends with its reason, and nothing was made', async () => {
    const importer = await harness.importer()
    const request = requestFor(cheapest, memoryKey(cheapest).secret)
    const reason = new Error('the command is stopping')
    const aborted = AbortSignal.abort(reason)
    await expect(importer.import(request, aborted)).rejects.toBe(reason)
    await expect(importer.find(request, aborted, unhurried)).rejects.toBe(reason)
    expect(await importer.find(request, signal, unhurried)).toEqual([])
  })
}

/**
 * The public half and a signature of the source, and of what the vault has made of it. `signMessage` takes
 * only what verifies under the public key it is given: where signatures are random, that is all there is.
 */
async function importedAndUsed(harness: ImporterHarness, name: AlgorithmName, source: KeyObject) {
  const resource = await (await harness.importer()).import(requestFor(name, source), signal)
  const signer = await opened(harness, name, resource)
  const row = algorithm(name)
  const spki = row.kty === 'oct' ? undefined : spkiOf(createPublicKey(source))
  const publicKey = spki && publicKeyFromSpki(spki)
  const used = await signMessage({ signer, algorithm: row, publicKey }, message, signal)
  const isRandom = row.kty === 'EC' || (row.kty === 'RSA' && row.padding === 'pss')
  const expected = isRandom ? used : await signMessage(memoryKeyOf(name, source), message, signal)
  return {
    asked: { spki, signature: expected },
    answered: { spki: await signer.publicKey(signal), signature: used },
  }
}

async function opened({ vault }: ImporterHarness, name: AlgorithmName, resource: string) {
  const signer: Signer = await (await vault()).open({ resource, algorithm: name }, signal)
  return signer
}

/** Every request is another version of one key, under an intent of its own. */
function requestFor(name: AlgorithmName, material: KeyObject): ImportRequest {
  serial += 1
  return { intentId: ulid(serial), name: `imported@${serial}`, algorithm: name, material }
}
