import { afterAll, describe, expect, test } from 'vitest'
import { ulidSource } from '../../src/lib/ulid.ts'
import { algorithm, type AlgorithmName } from '../../src/signing/algorithms.ts'
import type { KeyGenerator, KeyImporter } from '../../src/signing/signer.ts'
import { describeGenerator } from '../conformance/generator-suite.ts'
import { describeImporter } from '../conformance/importer-suite.ts'
import { describeSigner } from '../conformance/signer-suite.ts'
import { figure } from '../support/figure.ts'
import { type RealVault, realVault } from './real-vaults.ts'

/** The same suites at a real cloud, for whoever has an account there and asks for it. */

const vault = realVault()
if (!vault)
  figure('NOT RUN: no real vault is named; TEST_REAL=aws-kms|azure-key-vault puts one to the test')

const { signal } = new AbortController()
const newId = ulidSource()
const made = new Set<string>()
const pairs = new Map<string, Promise<readonly [string, string]>>()

describe.skipIf(vault === undefined)('a real vault', () => {
  test('it is the one that was asked for', () => {
    expect(vault?.provider).toBe(process.env['TEST_REAL'])
  })
  if (vault) describeReal(vault)
})

function describeReal({ provider, algorithms, open, generator, importer, discard }: RealVault) {
  afterAll(async () => {
    for (const resource of made) await discard(resource, signal)
    figure(`${provider}: ${made.size} keys were made, and discarded`)
  }, 600_000)

  const hasDigest = (name: AlgorithmName) => /^[RPE]S/.test(name)
  const limit = provider === 'aws-kms' ? 4_096 : undefined
  const noting = async () => noted(await generator())

  describeSigner({
    provider,
    algorithms,
    vault: open,
    resources(name) {
      const kind = algorithm(name).kty === 'RSA' ? 'RSA' : name
      const pair = pairs.get(kind) ?? newPair(noting, name)
      pairs.set(kind, pair)
      return pair
    },
    foreignResources: ['', 'alias/a-key', 'https://other.vault.azure.net/keys/a-key/0'],
    internals: () => ['arn:', 'https:', 'amazonaws', 'azure.net', 'Exception'],
    messageBytesMax: (name) => (hasDigest(name) ? undefined : limit),
    signsEmpty: hasDigest,
    signsDigests: hasDigest,
    rsaKeysAreShared: true,
    atOnce: 16,
  })

  describeGenerator({
    provider,
    generator: noting,
    vault: open,
    makes: [{ algorithm: 'PS256', modulusBits: undefined, kind: 'RSA-3072' }],
    refuses: [{ algorithm: 'RS256', modulusBits: 1024 }],
    cheapest: 'ES256',
  })

  describeImporter({
    provider,
    importer: async () => notedImports(await importer()),
    vault: open,
    algorithms,
    tried: ['PS256', 'ES256', 'HS256'],
    modulusBits: [2048, 4096],
    modulusBitsRefused: [1024, 2049, 8192],
    cheapest: 'ES256',
  })
}

async function newPair(
  generator: () => Promise<KeyGenerator>,
  name: AlgorithmName,
): Promise<readonly [string, string]> {
  const makes = await generator()
  const modulusBits = algorithm(name).kty === 'RSA' ? 2048 : undefined
  const one = (n: number) =>
    makes.generate(
      { intentId: newId(n), name: `real-${name.toLowerCase()}@${n}`, algorithm: name, modulusBits },
      signal,
    )
  return [await one(1), await one(2)]
}

function noted(generator: KeyGenerator): KeyGenerator {
  return {
    ...generator,
    async generate(request, abort) {
      const resource = await generator.generate(request, abort)
      made.add(resource)
      return resource
    },
  }
}

function notedImports(importer: KeyImporter): KeyImporter {
  return {
    ...importer,
    async import(request, abort) {
      const resource = await importer.import(request, abort)
      made.add(resource)
      return resource
    },
  }
}
