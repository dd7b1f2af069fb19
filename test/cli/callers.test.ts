import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { chancery } from '../support/chancery.ts'
import { homesOfThisFile } from '../support/home.ts'

const homes = homesOfThisFile()

const made = z.strictObject({
  caller: z.string(),
  apiKey: z.string().regex(/^chn_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}$/),
  id: z.string(),
  sha256: z.string(),
})

test('the lines that callers new-key prints make a caller that its API key proves', async () => {
  const home = homes.copy()
  const { exitCode, stdout, stderr } = await home.run(['callers', 'new-key', 'shop'])
  expect([exitCode, stderr]).toEqual([0, ''])
  const apiKey = /^The API key, shown once: {2}(\S+)$/m.exec(stdout)?.[1] ?? ''
  const line = /^callers:\n( {2}shop: .*)\n$/m.exec(stdout)?.[1] ?? ''
  home.edit((text) => text.replace('\ncallers:', `\ncallers:\n${line}`))
  home.edit(
    (text) =>
      `${text}  - { caller: shop, key: first-key, operations: [sign-claims], maxLifetime: 5m }\n`,
  )

  await using serving = await home.serve()
  const ask = (credential: string) =>
    serving.ask('first-key', { claims: {} }, { apiKey: credential })
  expect((await ask(apiKey)).status).toBe(200)
  const another = apiKey.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
  expect(await ask(another)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
})

test('as a document it holds the key, its id, and the SHA-256 of the whole; each time another', async () => {
  const { json } = homes.copy()
  const [one, other] = await Promise.all([
    json(['callers', 'new-key', 'shop']),
    json(['callers', 'new-key', 'shop']),
  ])
  const { caller, apiKey, id, sha256 } = made.parse(one.document)
  expect([one.exitCode, caller, id]).toEqual([0, 'shop', apiKey.slice(4, 14)])
  expect(sha256).toBe(createHash('sha256').update(apiKey).digest('hex'))
  expect(made.parse(other.document).apiKey).not.toBe(apiKey)
})

test('it needs no configuration, and changes none', async () => {
  const ran = await chancery(['--config', '/nowhere', 'callers', 'new-key', 'shop'])
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
})
