import { rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { azureGenerator } from '../../../providers/azure-key-vault/generator.ts'
import { findSettled } from '../../../src/rotation/find-settled.ts'
import { ulidSource } from '../../../src/lib/ulid.ts'
import type { GenerateRequest } from '../../../src/signing/signer.ts'
import {
  azureConfig,
  type AzureFiles,
  azureFiles,
  bareAzureSurroundings,
  quickAzureGenerator,
} from '../../support/azure-vault.ts'
import { fakeKeyVault, type FakeKeyVault } from '../../support/fake-key-vault.ts'
import { memoryKey } from '../../support/memory-key.ts'
import { unhurried } from '../../support/key-maker.ts'
import { eventually } from '../../support/serving.ts'

const { signal } = new AbortController()
const newId = ulidSource()
let vault: FakeKeyVault
let files: AzureFiles

beforeEach(async () => {
  vault = await fakeKeyVault()
  files = azureFiles(vault)
})
afterEach(async () => {
  await vault[Symbol.asyncDispose]()
  rmSync(files.directory, { recursive: true })
})

const quick = (part = {}) => quickAzureGenerator(azureConfig(vault, files, part))

const request = (part: Partial<GenerateRequest> = {}): GenerateRequest => ({
  intentId: newId(1_800_000_000_000),
  name: 'reports@3',
  algorithm: 'ES256',
  modulusBits: undefined,
  ...part,
})

describe('what is made', () => {
  test('a version of the key of that name, for signing only, with its intent as a tag', async () => {
    const asked = request({ algorithm: 'PS512', modulusBits: 2048 })
    const id = await (await quick()).generate(asked, signal)
    expect(vault.requests[0]).toMatchObject({ action: 'CreateKey', method: 'POST' })
    expect(vault.requests[0]?.body).toEqual({
      kty: 'RSA',
      key_size: 2048,
      key_ops: ['sign', 'verify'],
      attributes: { enabled: true, exportable: false },
      tags: { 'chancery:intent': asked.intentId },
    })
    expect(id).toMatch(/\/keys\/reports\/[\da-f]{32}$/)
  })

  test('each is another version, and the earlier ones stay as they are', async () => {
    const generator = await quick()
    const first = await generator.generate(request(), signal)
    const second = await generator.generate(request({ name: 'reports@4' }), signal)
    expect(second).not.toBe(first)
    expect(vault.world.keys.get('reports')?.map(({ id }) => id)).toEqual([first, second])
  })

  test('in an HSM, where that is configured; a standard vault has none: vault_key_unusable', async () => {
    const id = await (await quick({ hsm: true })).generate(request(), signal)
    expect(vault.at(id).kty).toBe('EC-HSM')
    vault.world.isPremium = false
    await expect((await quick({ hsm: true })).generate(request(), signal)).rejects.toMatchObject({
      code: 'vault_key_unusable',
    })
  })

  test('the name of a key that was deleted: said, and nothing is made', async () => {
    vault.world.deleted.add('reports')
    await expect((await quick()).generate(request(), signal)).rejects.toMatchObject({
      code: 'vault_key_unusable',
      message: 'A deleted key still has this name: recover it, or purge it',
    })
  })
})

describe('a vault that is eventually consistent', () => {
  test('a new version is looked at until the vault sees it', async () => {
    vault.world.hiddenReads = 3
    await (await quick()).generate(request(), signal)
    expect(vault.count('CreateKey')).toBe(1)
    expect(vault.count('GetKey')).toBe(4)
    expect(vault.count('ListKeys')).toBe(0)
  })

  test('looking ends, and the version is found by its tag later', async () => {
    vault.world.hiddenReads = 1_000
    const asked = request()
    const made = (await quick()).generate(asked, signal)
    await expect(made).rejects.toMatchObject({ code: 'vault_key_unusable' })
    expect(vault.count('CreateKey', 'GetKey')).toBe(1 + 5)
    const [version] = vault.world.keys.get('reports') ?? []
    expect(await (await quick()).find(asked, signal, unhurried)).toEqual([version?.id])
  })

  test('looking ends with the signal’s reason', async () => {
    vault.world.hiddenReads = 1_000
    const patient = { lookEveryMs: 60_000, looksMax: 5, settleMs: 60_000 }
    const config = azureConfig(vault, files)
    const generator = await azureGenerator(config, bareAzureSurroundings, patient)
    const reason = new Error('the job is stopping')
    const stopping = new AbortController()
    const made = generator.generate(request(), stopping.signal)
    const found = findSettled(generator, request(), stopping.signal, unhurried)
    await eventually(() => vault.count('GetKey') > 0)
    stopping.abort(reason)
    await expect(made).rejects.toBe(reason)
    await expect(found).rejects.toBe(reason)
    expect(vault.count('ListKeys')).toBe(0)
  })

  test('a version that is not listed yet is found later, and there is a time for that', async () => {
    const asked = request()
    const generator = await quick()
    const id = await generator.generate(asked, signal)
    vault.at(id).hiddenLists = 1
    expect(generator.settleMs).toBe(1)
    expect(await generator.find(asked, signal, unhurried)).toEqual([])
    expect(await findSettled(generator, asked, signal, unhurried)).toEqual([id])
  })
})

describe('a reply that is lost', () => {
  test('is vault_unavailable, createKey is not sent again, and the version is found', async () => {
    const asked = request()
    const generator = await quick()
    vault.next({ kind: 'lost-reply' }, { action: 'CreateKey' })
    await expect(generator.generate(asked, signal)).rejects.toMatchObject({
      code: 'vault_unavailable',
    })
    expect(vault.count('CreateKey')).toBe(1)
    const [version] = vault.world.keys.get('reports') ?? []
    expect(await generator.find(asked, signal, unhurried)).toEqual([version?.id])
  })
})

type Answer = Readonly<Record<string, unknown>>

describe('[C19] what is looked through', () => {
  const intent = '01JD0000000000000000000000'
  const tagged = { tags: { 'chancery:intent': intent } }
  const sought = { intentId: intent, name: 'reports@3' }

  test('every version of the one key, over pages, the last of them empty', async () => {
    vault.world.pageMax = 2
    vault.world.hasEmptyLastPage = true
    for (let at = 0; at < 3; at += 1) vault.add('reports')
    const wanted = vault.add('reports', tagged)
    vault.add('reports')
    const asked: number[] = []
    const goOn = async () => void asked.push(vault.count('ListKeys'))
    expect(await (await quick()).find(sought, signal, goOn)).toEqual([wanted.id])
    expect(vault.count('ListKeys')).toBe(4)
    expect(asked.slice(0, 4)).toEqual([0, 1, 2, 3])
  })

  test('of 300 other keys none: the name says where it is', async () => {
    const { secret } = memoryKey('ES256')
    const wanted = vault.add('reports', { ...tagged, secret })
    for (let at = 0; at < 300; at += 1) vault.add(`other-${at}`, { ...tagged, secret })
    expect(await (await quick()).find(sought, signal, unhurried)).toEqual([wanted.id])
    expect(vault.requests.map(({ url }) => url)).toEqual([
      expect.stringMatching(/^\/keys\/reports\/versions\?/),
    ])
  })

  test('all that bear it, the eldest first, where a rotation policy has copied its tags to a later one', async () => {
    const eldest = vault.add('reports', tagged)
    vault.add('reports')
    const later = vault.add('reports', tagged)
    const found = await (await quick()).find(sought, signal, unhurried)
    expect(found).toEqual([eldest.id, later.id])
  })

  test('a name that the vault does not have, or has no more: nothing is there', async () => {
    expect(await (await quick()).find(sought, signal, unhurried)).toEqual([])
    vault.next({ kind: 'error', status: 404, code: 'KeyNotFound' }, { action: 'ListKeys' })
    expect(await (await quick()).find(sought, signal, unhurried)).toEqual([])
  })

  test.each([
    ['throttling', { kind: 'error', status: 429, code: 'Throttled' }, 'vault_throttled'],
    ['a reset', { kind: 'reset' }, 'vault_unavailable'],
  ] as const)('%s in the middle is no "not found": %o is %s', async (_, fault, code) => {
    vault.world.pageMax = 1
    for (let at = 0; at < 3; at += 1) vault.add('reports')
    vault.next({ kind: 'alter', change: (page) => page }, { action: 'ListKeys' })
    vault.next(fault, { action: 'ListKeys' })
    const finding = (await quick()).find(sought, signal, unhurried)
    await expect(finding).rejects.toMatchObject({ code })
    expect(vault.count('ListKeys')).toBe(2)
  })

  test.each<[string, (page: Answer) => Answer]>([
    ['no list', () => ({})],
    ['a version without its name', (page) => ({ ...page, value: [tagged] })],
  ])('an answer with %s is no "not found": vault_unavailable', async (_, change) => {
    vault.add('reports')
    vault.next({ kind: 'alter', change }, { action: 'ListKeys' })
    const finding = (await quick()).find(sought, signal, unhurried)
    await expect(finding).rejects.toMatchObject({ code: 'vault_unavailable' })
  })

  test('whoever waits can end it between two pages', async () => {
    vault.world.pageMax = 1
    for (let at = 0; at < 3; at += 1) vault.add('reports')
    const reason = new Error('the job has lost its lease')
    const goOn = async () => {
      if (vault.count('ListKeys') === 2) throw reason
    }
    await expect((await quick()).find(sought, signal, goOn)).rejects.toBe(reason)
    expect(vault.count('ListKeys')).toBe(2)
  })

  test('a list that may not be read is no "not found": vault_denied', async () => {
    vault.world.denied.add('read')
    await expect((await quick()).find(sought, signal, unhurried)).rejects.toMatchObject({
      code: 'vault_denied',
      message: 'The vault denied the request: allow Microsoft.KeyVault/vaults/keys/read',
    })
  })
})
