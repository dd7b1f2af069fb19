import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { localGenerator } from '../../../providers/local/generator.ts'
import { localImporter } from '../../../providers/local/importer.ts'
import { openLocalVault } from '../../../providers/local/signer.ts'
import { algorithm, algorithmNames, type AlgorithmName } from '../../../src/signing/algorithms.ts'
import { describeGenerator, type Generated } from '../../conformance/generator-suite.ts'
import { describeImporter } from '../../conformance/importer-suite.ts'
import { describeSigner } from '../../conformance/signer-suite.ts'
import { memoryKey, type Which } from '../../support/memory-key.ts'
import { sealKey, type VaultDirectory, vaultDirectory } from '../../support/vault-directory.ts'
import { tallied } from '../../support/tally.ts'

const newKeyPair = promisify(generateKeyPair)
const foreignResources = [
  'never-made@1.01JD0000000000000000000000.json',
  '../master.key',
  '/etc/passwd',
  'rs256@1.01JD0000000000000000000000.json/..',
  'arn:aws:kms:eu-central-1:111122223333:key/1234',
  '',
]
const rsaNames = algorithmNames.filter((name) => algorithm(name).kty === 'RSA')

let home: VaultDirectory
const rsaKeys = new Map<string, KeyObject>()

beforeAll(async () => {
  home = await vaultDirectory()
  for (const which of ['one', 'other'] as const) {
    for (const bits of [3072, 4096]) {
      const { privateKey } = await newKeyPair('rsa', { modulusLength: bits })
      rsaKeys.set(`${bits} ${which}`, privateKey)
    }
  }
})

afterAll(() => home.remove())

const vault = () => openLocalVault(home, { concurrency: 2 })
const shared = {
  vault,
  foreignResources,
  internals: () => [home.root, home.directory, 'key/'],
  signsDigests: (name: AlgorithmName) => name.startsWith('RS'),
}

tallied('the local vault: conformance')

describeSigner({
  ...shared,
  provider: 'local',
  algorithms: algorithmNames,
  resources: (name) => sealedPair(name, '2048', (which) => memoryKey(name, which).secret),
  secretOf: (name) => memoryKey(name).secret,
})

describeSigner({
  ...shared,
  provider: 'local, RSA-3072',
  algorithms: rsaNames,
  resources: (name) => sealedPair(name, '3072', (which) => rsaKey(`3072 ${which}`)),
})

describeSigner({
  ...shared,
  provider: 'local, RSA-4096',
  algorithms: rsaNames,
  resources: (name) => sealedPair(name, '4096', (which) => rsaKey(`4096 ${which}`)),
})

const makes: readonly Generated[] = [
  { algorithm: 'RS256', modulusBits: 2048, kind: 'RSA-2048' },
  { algorithm: 'RS384', modulusBits: undefined, kind: 'RSA-3072' },
  { algorithm: 'RS512', modulusBits: 3072, kind: 'RSA-3072' },
  { algorithm: 'PS256', modulusBits: 4096, kind: 'RSA-4096' },
  { algorithm: 'PS384', modulusBits: 2048, kind: 'RSA-2048' },
  { algorithm: 'PS512', modulusBits: 2048, kind: 'RSA-2048' },
  { algorithm: 'ES256', modulusBits: undefined, kind: 'P-256' },
  { algorithm: 'ES384', modulusBits: undefined, kind: 'P-384' },
  { algorithm: 'ES512', modulusBits: undefined, kind: 'P-521' },
  { algorithm: 'EdDSA', modulusBits: undefined, kind: 'Ed25519' },
  { algorithm: 'HS256', modulusBits: undefined, kind: undefined },
  { algorithm: 'HS384', modulusBits: undefined, kind: undefined },
  { algorithm: 'HS512', modulusBits: undefined, kind: undefined },
]

describeGenerator({
  provider: 'local',
  generator: () => localGenerator(home),
  vault,
  makes,
  refuses: [
    { algorithm: 'RS256', modulusBits: 1024 },
    { algorithm: 'RS256', modulusBits: 2049 },
    { algorithm: 'PS512', modulusBits: 8192 },
    { algorithm: 'ES256', modulusBits: 2048 },
    { algorithm: 'HS256', modulusBits: 256 },
  ],
  cheapest: 'ES256',
})

describeImporter({
  provider: 'local',
  importer: () => localImporter(home),
  vault,
  algorithms: algorithmNames,
  modulusBits: [2048, 3072, 4096],
  modulusBitsRefused: [],
  cheapest: 'ES256',
})

test('every algorithm of the table is made', () => {
  expect(makes.map((one) => one.algorithm)).toEqual(algorithmNames)
})

test('a software key never claims to be more than that', async () => {
  const { signal } = new AbortController()
  const [resource] = await sealedPair('ES256', '2048', (which) => memoryKey('ES256', which).secret)
  const opened = await (await vault()).open({ resource, algorithm: 'ES256' }, signal)
  expect(opened.custody).toBe('software')
})

async function sealedPair(
  name: AlgorithmName,
  bits: string,
  keyOf: (which: Which) => KeyObject,
): Promise<readonly [string, string]> {
  const key = `${name.toLowerCase()}-${bits}`
  return [
    await sealKey(home, { name: `${key}@1`, algorithm: name, key: keyOf('one') }),
    await sealKey(home, { name: `${key}@2`, algorithm: name, key: keyOf('other') }),
  ]
}

function rsaKey(id: string): KeyObject {
  const key = rsaKeys.get(id)
  if (!key) throw new Error(`no ${id}`)
  return key
}
