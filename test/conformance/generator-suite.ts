import { describe, expect, test } from 'vitest'
import { type Bytes, equalBytes, utf8 } from '../../src/lib/bytes.ts'
import { ulidSource } from '../../src/lib/ulid.ts'
import { algorithm, type AlgorithmName } from '../../src/signing/algorithms.ts'
import { describeKey, publicKeyFromSpki } from '../../src/signing/public-key.ts'
import { signMessage } from '../../src/signing/sign.ts'
import type { GenerateRequest, KeyGenerator, Signer, Vault } from '../../src/signing/signer.ts'
import { publicKeyOf } from './verifiers.ts'
import { unhurried } from '../support/key-maker.ts'

export type Generated = {
  readonly algorithm: AlgorithmName
  /** RSA only; undefined asks for the vault's default. */
  readonly modulusBits: number | undefined
  /** In the words of `describeKey`; none for HMAC. */
  readonly kind: string | undefined
}

export interface GeneratorHarness {
  readonly provider: string
  readonly generator: () => Promise<KeyGenerator>
  readonly vault: () => Promise<Vault>
  /** Everything the vault makes. */
  readonly makes: readonly Generated[]
  /** Requests that it refuses, before anything is billed. */
  readonly refuses: readonly Pick<GenerateRequest, 'algorithm' | 'modulusBits'>[]
  /** The cheapest algorithm, for what is not about algorithms. */
  readonly cheapest: AlgorithmName
}

const { signal } = new AbortController()
const ulid = ulidSource()
let serial = 0

/** What it means to make versions: nothing is made twice, and everything made can be found again. */
export function describeGenerator(harness: GeneratorHarness): void {
  describe(`${harness.provider}: what is generated`, () => {
    describeMade(harness)
  })
  describe(`${harness.provider}: intents`, () => {
    describeIntents(harness)
  })
}

function describeMade(harness: GeneratorHarness): void {
  const { makes, refuses } = harness

  test.each(makes)(
    '$algorithm at $modulusBits bits is $kind, and signs',
    async (wanted) => {
      const request = requestFor(wanted.algorithm, wanted.modulusBits)
      const signer = await generated(harness, request)
      const spki = await signer.publicKey(signal)
      const key = spki && publicKeyOf(spki)
      expect(key && describeKey(key)).toBe(wanted.kind)
      expect(await signatureOf(signer, request.algorithm)).not.toHaveLength(0)
    },
    60_000,
  ) // a key pair of RSA-4096 takes as long as chance will have it

  test.each(refuses)(
    '$algorithm at $modulusBits bits is refused, and nothing stays',
    async (one) => {
      const generator = await harness.generator()
      const request = requestFor(one.algorithm, one.modulusBits)
      const asked = generator.generate(request, signal)
      await expect(asked).rejects.toMatchObject({ code: 'vault_key_unusable' })
      expect(await generator.find(request, signal, unhurried)).toEqual([])
    },
  )
}

function describeIntents(harness: GeneratorHarness): void {
  const { cheapest } = harness

  test('the same intent twice makes one version, and returns it twice', async () => {
    const generator = await harness.generator()
    const request = requestFor(cheapest)
    const first = await generator.generate(request, signal)
    const before = await publicKeyAt(harness, first)
    expect(await carriedOut(generator, request)).toBe(first)
    expect(await publicKeyAt(harness, first)).toEqual(before)
  })

  test('an intent is found after it was carried out, and not before', async () => {
    const generator = await harness.generator()
    const request = requestFor(cheapest)
    expect(await generator.find(request, signal, unhurried)).toEqual([])
    const resource = await generator.generate(request, signal)
    expect(await generator.find(request, signal, unhurried)).toEqual([resource])
  })

  test('a process that was started later finds it too', async () => {
    const request = requestFor(cheapest)
    const resource = await (await harness.generator()).generate(request, signal)
    const later = await harness.generator()
    expect(await later.find(request, signal, unhurried)).toEqual([resource])
    expect(await carriedOut(later, request)).toBe(resource)
  })

  test('two intents make two key pairs', async () => {
    const generator = await harness.generator()
    const one = await generator.generate(requestFor(cheapest), signal)
    const other = await generator.generate(requestFor(cheapest), signal)
    const [first, second] = [await publicKeyAt(harness, one), await publicKeyAt(harness, other)]
    expect(one).not.toBe(other)
    expect(equalBytes(first, second)).toBe(false)
  })

  test('[C10] an aborted signal ends with its reason, and nothing was made', async () => {
    const generator = await harness.generator()
    const request = requestFor(cheapest)
    const reason = new Error('the job is stopping')
    const aborted = AbortSignal.abort(reason)
    await expect(generator.generate(request, aborted)).rejects.toBe(reason)
    await expect(generator.find(request, aborted, unhurried)).rejects.toBe(reason)
    expect(await generator.find(request, signal, unhurried)).toEqual([])
  })

  async function publicKeyAt({ vault }: GeneratorHarness, resource: string) {
    const signer = await (await vault()).open({ resource, algorithm: cheapest }, signal)
    const spki = await signer.publicKey(signal)
    if (!spki) throw new Error('the cheapest algorithm of the harness has no public key')
    return spki
  }
}

/** As rotation goes on with an intent whose end it does not know. */
async function carriedOut(generator: KeyGenerator, request: GenerateRequest): Promise<string> {
  const [found] = await generator.find(request, signal, unhurried)
  return found ?? generator.generate(request, signal)
}

/** Every request is another version of one key, under an intent of its own. */
function requestFor(name: AlgorithmName, modulusBits?: number): GenerateRequest {
  serial += 1
  return { intentId: ulid(serial), name: `suite@${serial}`, algorithm: name, modulusBits }
}

async function generated(harness: GeneratorHarness, request: GenerateRequest): Promise<Signer> {
  const resource = await (await harness.generator()).generate(request, signal)
  return (await harness.vault()).open({ resource, algorithm: request.algorithm }, signal)
}

/** In full: `signMessage` takes only what verifies. */
async function signatureOf(signer: Signer, name: AlgorithmName): Promise<Bytes> {
  const spki = await signer.publicKey(signal)
  const publicKey = spki && publicKeyFromSpki(spki)
  return signMessage({ signer, algorithm: algorithm(name), publicKey }, utf8('a message'), signal)
}
