import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homesOfThisFile, statesIn, withKey } from '../support/home.ts'
import { eventually } from '../support/serving.ts'

const homes = homesOfThisFile()
const claims = { claims: { sub: 'a' } }

test.concurrent('on an empty store serve is live, not ready, and takes up the first version when it comes', async () => {
  const home = homes.copy()
  rmSync(home.at('chancery.db'))
  for (const sealed of readdirSync(home.at('vault'))) rmSync(join(home.at('vault'), sealed))

  await using serving = await home.serve()
  expect((await fetch(`${serving.opsUrl}/livez`)).status).toBe(200)
  const idle = { status: 503, reason: 'no versions: run chancery rotate' }
  expect(await serving.readiness()).toEqual(idle)
  await eventually(() => serving.stderr().includes('"event":"no versions: run chancery rotate"'))
  const refused = await serving.ask('first-key', claims)
  expect(refused).toMatchObject({ status: 503, body: { code: 'no_active_version' } })

  expect((await home.run(['rotate'])).stdout).toBe('first-key@1 generated\nfirst-key@1 activated\n')
  await eventually(async () => (await serving.ask('first-key', claims)).status === 200)
  expect(await serving.readiness()).toEqual({ status: 200, reason: 'ok' })
})

test.concurrent('a key that is not configured any more answers as one that never was, and keeps its rows', async () => {
  const home = homes.copy()
  home.edit((text) => withKey(text, 'second: { vault: local, alg: EdDSA, purpose: bytes }'))
  await home.run(['rotate', 'second'])
  home.edit((text) =>
    text.replace('first-key:', 'third-key:').replace('key: first-key', 'key: third-key'),
  )
  await using serving = await home.serve()
  const [gone, never] = await Promise.all([
    serving.ask('first-key', claims),
    serving.ask('never-was', claims),
  ])
  const text = ({ text: all, body }: typeof gone) => all.replace(body.requestId ?? '', '')
  expect(gone).toMatchObject({ status: 404, body: { code: 'key_not_found' } })
  expect(text(gone)).toBe(text(never))
  expect((await home.run(['keys', 'list'])).stdout).toContain(
    'first-key  ES256, in local  not in the configuration: answers 404\n  first-key@1  active  ',
  )
})

test.concurrent('two services on one store both sign, and write one whole audit', async () => {
  const home = homes.copy()
  await using one = await home.serve()
  await using other = await home.serve()
  const answers = await Promise.all(
    [one, other, one, other].map((serving) => serving.ask('first-key', claims)),
  )
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  await Promise.all([one.stop(), other.stop()])
  expect((await home.json(['audit', 'verify'])).document).toMatchObject({
    verdict: 'whole',
    intents: 4,
    unsettled: 0,
  })
})

test.concurrent.each([
  ['keys', 'list'],
  ['audit', 'verify'],
  ['suspend', 'everything', '--reason', 'a test'],
])('`%s %s` takes no wrong path for an empty store: exit 5, and none is begun', async (...args) => {
  const home = homes.copy()
  home.edit((text) => text.replace('./var/chancery.db', './var/other.db'))
  const { exitCode, document } = await home.json(args)
  expect(exitCode).toBe(5)
  expect(document).toMatchObject({
    error: {
      code: 'store_unavailable',
      message: `There is no store at ${home.at('other.db')}: correct store.sqlite, or run \`chancery rotate\` to begin one`,
    },
  })
  expect(existsSync(home.at('other.db'))).toBe(false)
})

test.concurrent('what stops a key works in an incident, whatever was changed about the key', async () => {
  const home = homes.copy()
  home.edit((text) => text.replace('alg: ES256', 'alg: ES384'))
  expect((await home.run(['rotate'])).exitCode).toBe(2)
  expect(await home.run(['revoke', 'first-key@1', '--reason', 'a test'])).toMatchObject({
    exitCode: 0,
  })
  expect(statesIn(home)).toEqual(['first-key@1 revoked'])
})
