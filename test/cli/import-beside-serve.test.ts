import { expect, test } from 'vitest'
import { type Home, homesOfThisFile, inStore, statesIn } from '../support/home.ts'
import {
  downloadedPem,
  githubFingerprint,
  importSecret,
  withImportedKeys,
} from '../support/imported-keys.ts'
import { eventually } from '../support/serving.ts'
import { slowProcess } from '../support/slow-process.ts'

/** What is imported while services sign: each of them has to prove it before it signs. */

const homes = homesOfThisFile()
const secret = 'a secret of 32 bytes from portal'

const isProved = (home: Home, key: string, n: number) =>
  inStore(home, (database) =>
    database.prepare(`select 1 from proofs where key = ? and n = ? and code = 'ok'`).all(key, n),
  ).length > 0

test('the second key of an app: the command says that it does not sign yet, what it waits for, and what to run', async () => {
  const home = homes.copy()
  home.edit((text) => withImportedKeys(text))
  const [first, second] = [downloadedPem(home), downloadedPem(home, 'second.pem')]
  const take = (pem: string) => {
    const args = ['--pem', pem, '--expect', `github=${githubFingerprint(pem)}`, '--delete-source']
    return home.run(['import', 'bot', ...args])
  }
  expect((await take(first)).stdout).not.toContain('does not sign yet')
  await using serving = await home.serve()
  using slow = slowProcess(home)
  const imported = await take(second)
  expect(imported).toMatchObject({ exitCode: 0 })
  expect(imported.stdout).toContain('bot@2 is imported: published')
  expect(imported.stdout).toMatch(
    /It does not sign yet: it waits: bot@2 is not proved by .*elsewhere.* Then run `chancery rotate bot`/,
  )
  const waiting = (await home.run(['tasks'])).stdout
  expect(waiting).toMatch(/^bot@2 {2}switch: .* not proved by .*elsewhere pid 7/m)
  expect(waiting).toMatch(/^ {2}2\. chancery rotate bot$/m)
  slow[Symbol.dispose]()
  await eventually(() => isProved(home, 'bot', 2))
  expect((await home.run(['tasks'])).stdout).toContain('bot@2  switch: it can sign, and does not')
  expect(await home.run(['rotate', 'bot'])).toMatchObject({ exitCode: 0 })
  expect((await home.run(['tasks'])).stdout).not.toContain('switch:')
  expect(statesIn(home)).toContain('bot@2 active')
  await eventually(async () => (await serving.ask('bot', { claims: {} })).body.version === 2)
})

test('the second key id of an API key, in --json: what keeps it from signing', async () => {
  const home = homes.copy()
  home.edit((text) => withImportedKeys(text))
  expect(await importSecret(home, 'face', 'k-1', secret)).toMatchObject({
    state: 'active',
    waitsFor: null,
  })
  await using serving = await home.serve()
  using _ = slowProcess(home)
  expect(await importSecret(home, 'face', 'k-2', `${secret} 2`)).toMatchObject({
    version: 'face@2',
    state: 'created',
    waitsFor: { kind: 'proof', version: 'face@2' },
  })
  expect(await serving.readiness()).toMatchObject({ status: 200 })
})

test('a key that a human confirms while services sign: the same', async () => {
  const home = homes.copy()
  home.edit((text) => withImportedKeys(text))
  const [first, second] = [downloadedPem(home), downloadedPem(home, 'second.pem')]
  const seen = (pem: string) => `github=${githubFingerprint(pem)}`
  await home.run(['import', 'bot', '--pem', first, '--expect', seen(first)])
  await home.run(['import', 'bot', '--pem', second])
  using _ = slowProcess(home)
  const confirmed = await home.json(['confirm', 'bot@2', '--fingerprint', seen(second)])
  expect(confirmed).toMatchObject({
    exitCode: 0,
    document: { after: 'published', waitsFor: { kind: 'proof', version: 'bot@2' } },
  })
})
