import { hash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/lib/bytes.ts'
import { algorithm, type AlgorithmName } from '../../../src/signing/algorithms.ts'
import { publicKeyFromSpki } from '../../../src/signing/public-key.ts'
import { signMessage } from '../../../src/signing/sign.ts'
import {
  azureConfig,
  type AzureFiles,
  azureFiles,
  azureVault,
  heldVersion,
} from '../../support/azure-vault.ts'
import { fakeKeyVault, type FakeKeyVault } from '../../support/fake-key-vault.ts'
import { figure } from '../../support/figure.ts'

const { signal } = new AbortController()
let vault: FakeKeyVault
let files: AzureFiles

beforeAll(async () => {
  vault = await fakeKeyVault()
  files = azureFiles(vault)
})
afterAll(async () => {
  await vault[Symbol.asyncDispose]()
  rmSync(files.directory, { recursive: true })
})

async function opened(name: AlgorithmName) {
  const { id } = heldVersion(vault, name)
  const signer = await (
    await azureVault(azureConfig(vault, files))
  ).open({ resource: id, algorithm: name }, signal)
  const spki = await signer.publicKey(signal)
  return { signer, algorithm: algorithm(name), publicKey: spki && publicKeyFromSpki(spki), id }
}

test('what the vault calls the request is told, so that its log and our audit can be compared', async () => {
  const key = await opened('ES256')
  const told: string[] = []
  await signMessage(key, utf8('hello'), signal, (id) => told.push(id))
  expect(told).toEqual(['a-request'])
})

describe('[C4] [C5] what is sent', () => {
  test.each([
    ['RS256', 'sha256'],
    ['RS384', 'sha384'],
    ['RS512', 'sha512'],
    ['PS256', 'sha256'],
    ['PS384', 'sha384'],
    ['PS512', 'sha512'],
    ['ES256', 'sha256'],
    ['ES384', 'sha384'],
    ['ES512', 'sha512'],
  ] as const)('%s: the %s of any message, to the version’s own URL', async (name, digest) => {
    const key = await opened(name)
    for (const length of [0, 1, 16_384]) {
      const message = new Uint8Array(length).fill(0x61)
      await signMessage(key, message, signal)
      const request = vault.requests.at(-1)
      expect(request?.body).toEqual({ alg: name, value: hash(digest, message, 'base64url') })
      expect(request?.url.split('?')[0]).toBe(`${new URL(key.id).pathname}/sign`)
    }
  })

  test('a message without its digest is refused before it is billed', async () => {
    const { signer, algorithm: row } = await opened('ES256')
    const before = vault.requests.length
    const asked = signer.sign({ message: utf8('a'), digest: undefined }, row, signal)
    await expect(asked).rejects.toMatchObject({ code: 'vault_key_unusable' })
    expect(vault.requests.length).toBe(before)
  })
})

const alterations = 10_000
const atOnce = 50

test.each(['RS256', 'PS256', 'ES256'] as const)(
  `[C2] ${alterations} answers of a vault that errs, of %s among others: none is released`,
  async (name) => {
    const key = await opened(name)
    const share = Math.ceil(alterations / 3)
    let caught = 0
    for (let at = 0; at < share; at += atOnce) {
      const asked = Array.from({ length: Math.min(atOnce, share - at) }, (_, i) => {
        vault.next(
          { kind: 'alter', change: (answer) => alteredAt(answer, at + i) },
          { action: 'Sign' },
        )
        return signMessage(key, utf8(`message ${at + i}`), signal).then(
          () => 'released',
          (error: unknown) => error instanceof Error && 'code' in error && error.code,
        )
      })
      caught += (await Promise.all(asked)).filter((code) => code === 'signature_invalid').length
    }
    figure(`${caught} of ${share} altered answers caught (${name})`)
    expect(caught).toBe(share)
  },
  240_000,
)

/** One bit is another, somewhere else each time. */
function alteredAt(answer: Readonly<Record<string, unknown>>, at: number) {
  const signature = Buffer.from(String(answer['value']), 'base64url')
  const place = (at * 37) % signature.length
  signature[place] = (signature[place] ?? 0) ^ (1 << (at % 8))
  return { ...answer, value: signature.toString('base64url') }
}
