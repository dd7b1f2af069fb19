import crypto, { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { localGenerator } from '../../../providers/local/generator.ts'
import { createMasterKey, readMasterKeys } from '../../../providers/local/master-key.ts'
import { rekey } from '../../../providers/local/rekey.ts'
import { openLocalVault } from '../../../providers/local/signer.ts'
import { encodeBytes } from '../../../src/lib/bytes.ts'
import { logger } from '../../../src/lib/log.ts'
import { algorithmNames, type AlgorithmName } from '../../../src/signing/algorithms.ts'
import { memoryKey } from '../../support/memory-key.ts'
import { filesIn, materialOf, openVersion, sealKey } from '../../support/vault-directory.ts'
import { sealMaterial, someIntent, vaultOfThisTest } from '../../support/vault-directory.ts'
import type { VaultDirectory } from '../../support/vault-directory.ts'

const { signal } = new AbortController()

/** Everything that a program could make of a value without meaning to. */
function shown(value: unknown): string {
  const lines: string[] = []
  logger({ write: (line) => lines.push(line) }).error('failed', value)
  const deep = inspect(value, { depth: 20, showHidden: true, maxArrayLength: 4_096 })
  return [String(value), JSON.stringify(value), deep, ...lines].join('\n')
}

/** Any six bytes in a row of the secret, written in any of the usual ways: Node's JSON errors quote ten. */
function traces(secret: Uint8Array, text: string): readonly string[] {
  const tidied = text.replaceAll(/[\s,]+/g, '')
  const windows = Array.from({ length: secret.length - 5 }, (_, at) => secret.subarray(at, at + 6))
  return windows.flatMap((bytes) => formsOf(bytes).filter((form) => tidied.includes(form)))
}

function formsOf(bytes: Uint8Array): readonly string[] {
  const buffer = Buffer.from(bytes)
  const base64 = [buffer.toString('base64'), buffer.toString('base64url')]
  return [buffer.toString('latin1'), buffer.toString('hex'), ...base64, bytes.join('')]
}

async function errorOf(asked: Promise<unknown>): Promise<unknown> {
  return asked.then(
    () => {
      throw new Error('nothing was refused')
    },
    (error: unknown) => error,
  )
}

/** The first character of what is sealed becomes another one: one in 64 begins with the first choice. */
function altered(file: string): string {
  return file.replace(/"sealed": "(.)/, (_, first) => `"sealed": "${first === '_' ? '-' : '_'}`)
}

/** One failure of each kind, of a vault whose every secret is known here. */
async function failures(home: VaultDirectory): Promise<readonly unknown[]> {
  const { secret } = memoryKey('ES256')
  const key = { name: 'canary@1', algorithm: 'ES256', key: secret } as const
  const resource = await sealKey(home, key)
  const path = join(home.directory, resource)
  const genuine = await readFile(path)
  const open = (name: AlgorithmName = 'ES256') => errorOf(openVersion(home, resource, name))
  const openWith = async (contents: string | Uint8Array) => {
    await writeFile(path, contents)
    return open()
  }
  const jwk = JSON.stringify(secret.export({ format: 'jwk' }))
  const found = [
    await open('ES384'),
    await openWith(secret.export({ type: 'pkcs8', format: 'pem' })),
    await openWith(materialOf(secret)),
    await openWith(encodeBytes(materialOf(secret), 'base64')),
    await openWith(`{"d": ${encodeBytes(materialOf(secret), 'base64')}}`),
    await openWith(jwk),
    await openWith(jwk.slice(0, -9)),
    await openWith(jwk.replace('"d":"', '"d":"\u0001')),
    await openWith(altered(genuine.toString())),
  ]
  await sealMaterial(
    home,
    { version: 'canary@1', algorithm: 'ES256', intent: someIntent },
    materialOf(secret),
  )
  found.push(await open())
  await sealKey(home, key)
  await writeFile(`${home.masterKeyFile}.next`, await readFile(home.masterKeyFile), { mode: 0o644 })
  return [...found, await open(), await errorOf(rekey(home)), await errorOf(localGenerator(home))]
}

describe('nothing secret is shown', () => {
  test('by any error, its causes, its log line, its JSON', async () => {
    const home = await vaultOfThisTest()
    const secrets = [materialOf(memoryKey('ES256').secret), await readFile(home.masterKeyFile)]
    const text = (await failures(home)).map(shown).join('\n')
    expect(text.length).toBeGreaterThan(1_000)
    expect(secrets.flatMap((secret) => traces(secret, text))).toEqual([])
  })

  test('by a vault, a signer, a generator or a master key', async () => {
    const home = await vaultOfThisTest()
    const vault = await openLocalVault(home, { concurrency: 1 })
    const generator = await localGenerator(home)
    using keys = await readMasterKeys(home.masterKeyFile)
    const secrets: Uint8Array[] = [await readFile(home.masterKeyFile)]
    const texts = [shown(vault), shown(generator), shown(keys)]
    for (const algorithm of algorithmNames) {
      const { secret: key } = memoryKey(algorithm)
      const resource = await sealKey(home, { name: 'canary@1', algorithm, key })
      texts.push(shown(await vault.open({ resource, algorithm }, signal)))
      secrets.push(materialOf(key))
    }
    expect(secrets.flatMap((secret) => traces(secret, texts.join('\n')))).toEqual([])
  })

  test('by a sealed file, which holds not even a digest of an HMAC secret', async () => {
    const home = await vaultOfThisTest()
    const secret = materialOf(memoryKey('HS512').secret)
    const digests = ['sha1', 'sha256', 'sha384', 'sha512'].map((name) =>
      crypto.hash(name, secret, 'buffer'),
    )
    const resource = await sealKey(home, {
      name: 'canary@1',
      algorithm: 'HS512',
      key: memoryKey('HS512').secret,
    })
    const text = await readFile(join(home.directory, resource), 'utf8')
    const decoded = [...text.matchAll(/"([\w-]{20,})"/g)].map(([, member = '']) =>
      Buffer.from(member, 'base64url').toString('latin1'),
    )
    const everything = [text, ...decoded].join('\n')
    expect(decoded.length).toBeGreaterThan(1)
    expect([secret, ...digests].flatMap((bytes) => traces(bytes, everything))).toEqual([])
  })

  test('the search finds what it looks for', () => {
    const secret = new Uint8Array(randomBytes(32))
    const forms = formsOf(secret.subarray(3, 15))
    const texts = [inspect(secret), `x${forms[1]}`, `${forms[2]}`, JSON.stringify([...secret])]
    expect(texts.filter((text) => traces(secret, text).length === 0)).toEqual([])
  })
})

describe('secrets are zeroed when they have been used', () => {
  test.each(['RS256', 'ES256', 'EdDSA', 'HS256'] as const)('%s, when opened', async (algorithm) => {
    const home = await vaultOfThisTest()
    const { secret: key } = memoryKey(algorithm)
    const resource = await sealKey(home, { name: 'canary@1', algorithm, key })
    const name = algorithm === 'HS256' ? 'createSecretKey' : 'createPrivateKey'
    const given = await argumentsOf(name, () => openVersion(home, resource, algorithm))
    const buffers = given.map(({ first }) => bytesOf(first))
    expect(given.filter(({ wasZero }) => wasZero)).toEqual([])
    expect(buffers.length).toBe(1)
    expect(buffers.filter((bytes) => bytes.some((byte) => byte !== 0))).toEqual([])
  })

  const kinds = ['RS256', 'ES256', 'HS256'] as const
  test.each(kinds)('%s, its data key and the master key, when made', async (algorithm) => {
    const home = await vaultOfThisTest()
    const generator = await localGenerator(home)
    const making = (intentId: string, name: string) =>
      generator.generate({ intentId, name, algorithm, modulusBits: undefined }, signal)
    const keys = await argumentsOf('createCipheriv', () => making('A', 'canary@1'), 1)
    expect(keys.map(({ first }) => bytesOf(first).length)).toEqual([32, 32])
    const plaintexts = await argumentsOf(
      'update',
      () => making('B', 'canary@2'),
      0,
      crypto.Cipheriv.prototype,
    )
    expect(plaintexts).toHaveLength(2)
    const seen = [...keys, ...plaintexts]
    expect(seen.filter(({ wasZero }) => wasZero)).toEqual([])
    expect(seen.filter(({ first }) => bytesOf(first).some((byte) => byte !== 0))).toEqual([])
  })

  test('a new master key, when it lies in its file', async () => {
    const home = await vaultOfThisTest()
    const path = join(home.root, 'new.key')
    const random = await argumentsOf('randomBytes', () => createMasterKey(path), 'answer')
    const made = random.map(({ first }) => bytesOf(first)).filter(({ length }) => length === 32)
    expect(made.map((bytes) => bytes.every((byte) => byte === 0))).toEqual([true])
    expect(await filesIn(home.root)).toContain('new.key')
  })
})

type Given = { readonly first: unknown; readonly wasZero: boolean }

/** What a function of node:crypto is given (or answers) while `work` runs: looked at afterwards. */
async function argumentsOf(
  name: 'createPrivateKey' | 'createSecretKey' | 'createCipheriv' | 'randomBytes' | 'update',
  work: () => Promise<unknown>,
  which: number | 'answer' = 0,
  owner: object = crypto,
): Promise<readonly Given[]> {
  const original: unknown = Reflect.get(owner, name)
  if (typeof original !== 'function') throw new TypeError(`no ${name}`)
  const seen: Given[] = []
  Reflect.set(owner, name, function watched(this: unknown, ...given: unknown[]): unknown {
    const answer: unknown = Reflect.apply(original, this, given)
    const first = which === 'answer' ? answer : given[which]
    seen.push({ first, wasZero: bytesOf(first).every((byte) => byte === 0) })
    return answer
  })
  syncBuiltinESMExports()
  try {
    await work()
    return seen
  } finally {
    Reflect.set(owner, name, original)
    syncBuiltinESMExports()
  }
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  const key: unknown = Reflect.get(Object(value), 'key')
  if (key instanceof Uint8Array) return key
  throw new TypeError('neither bytes nor a key in bytes')
}
