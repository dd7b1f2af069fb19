import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { homesOfThisFile, statesIn } from '../support/home.ts'
import { assertSeeded, seeded } from '../support/seeded.ts'

const homes = homesOfThisFile()
const because = ['--reason', 'a test']

const revoked = z.strictObject({
  version: z.string(),
  before: z.string(),
  nothingAfter: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  promoted: z.string().nullable(),
  promotionError: z.null(),
  withdrawal: z.looseObject({ verdict: z.string() }),
  disabling: z.looseObject({ verdict: z.string() }),
})

test.concurrent('what it says is in force when it returns: nothing signs, anywhere, after that', async () => {
  const home = homes.copy()
  await using serving = await home.serve()
  const ask = () => serving.ask('first-key', { claims: { sub: 'a' } })
  expect((await ask()).status).toBe(200)
  const { exitCode, document, stderr } = await home.json(['revoke', 'first-key@1', ...because])
  expect([exitCode, stderr]).toEqual([0, ''])
  expect(revoked.parse(document)).toMatchObject({
    version: 'first-key@1',
    before: 'active',
    promoted: null,
    withdrawal: { verdict: 'none' },
    disabling: { verdict: 'done' },
  })
  expect(readdirSync(home.at('vault'))).toEqual([expect.stringMatching(/\.disabled$/)])
  expect(await ask()).toMatchObject({ status: 503, body: { code: 'no_active_version' } })
})

test.concurrent('a second time it is so already, and the exit code is 0', async () => {
  const home = homes.copy()
  const first = await home.run(['revoke', 'first-key@1', ...because])
  const again = await home.json(['revoke', 'first-key@1', ...because])
  expect(first.exitCode).toBe(0)
  expect(first.stdout).toMatch(
    /^first-key@1 is revoked: no signature by it can leave after \S+Z\.\nfirst-key has no version that signs now: run `chancery rotate first-key` /,
  )
  expect(again.exitCode).toBe(0)
  expect(revoked.parse(again.document).before).toBe('revoked')
})

test.concurrent.each([
  [
    'a version that is not there',
    'first-key@2',
    3,
    'refused',
    'There is no version first-key@2: see `chancery keys list`',
  ],
  [
    'a key that is not there',
    'nobody@1',
    3,
    'refused',
    'There is no version nobody@1: see `chancery keys list`',
  ],
  [
    'a key without a number',
    'first-key',
    2,
    'usage',
    'A version is named KEY@N, like contentful-blog@3',
  ],
  [
    'a number with a leading zero',
    'first-key@01',
    2,
    'usage',
    'A version is named KEY@N, like contentful-blog@3',
  ],
])('%s is refused, and changes nothing', async (_, version, code, problem, message) => {
  const home = homes.copy()
  const { exitCode, document } = await home.json(['revoke', version, ...because])
  expect(exitCode).toBe(code)
  expect(document).toEqual({ error: { code: problem, message, issues: [] } })
  expect(statesIn(home)).toEqual(['first-key@1 active'])
})

describe('a fault below environment and store stops no revocation', () => {
  const faults = [
    ['a member that is wrong', 'alg: ES256', 'alg: ES255', 'keys.first-key.alg'],
    ['a section that is no YAML', 'vault: local', 'vault: [local', '(file)'],
  ] as const

  test.concurrent.each(faults)('%s', async (_, from, to, path) => {
    const home = homes.copy()
    home.edit((text) => text.replace(from, to))
    const { exitCode, document } = await home.json(['revoke', 'first-key@1', ...because])
    expect(exitCode).toBe(4)
    expect(revoked.parse(document)).toMatchObject({
      before: 'active',
      withdrawal: { verdict: 'none' },
      disabling: {
        verdict: 'pending',
        code: 'config_invalid',
        issues: expect.arrayContaining([expect.objectContaining({ path })]),
      },
    })
    expect(statesIn(home)).toEqual(['first-key@1 revoked'])
    home.edit((text) => text.replace(to, from))
    expect((await home.run(['rotate'])).exitCode).toBe(0)
    expect(readdirSync(home.at('vault'))).toEqual([expect.stringMatching(/\.disabled$/)])
  })

  test.concurrent('it is told how to go on', async () => {
    const home = homes.copy()
    home.edit((text) => text.replace('alg: ES256', 'alg: ES255'))
    const { stdout } = await home.run(['revoke', 'first-key@1', ...because])
    expect(stdout).toContain('It is not yet disabled in its vault: ')
    const [, next] = stdout.split('has 1 problem.\nOnce the configuration is put right, ')
    expect(next).toMatch(
      /^`chancery rotate` goes on, .*\.\nWhat is wrong:\n  keys\.first-key\.alg: .*ES256/,
    )
  })

  test.concurrent('this test can fail: it stops one that reads all of it first', async () => {
    const home = homes.copy()
    home.edit((text) => text.replace('alg: ES256', 'alg: ES255'))
    const mistake = seeded('all of the configuration is read before a revocation')
    const refused = await home.run(['revoke', 'first-key@1', ...because], mistake)
    assertSeeded(refused)
    expect(refused.exitCode).toBe(2)
    expect(statesIn(home)).toEqual(['first-key@1 active'])
  })
})

test.concurrent.each([
  ['another environment', /^environment: \w+/m, 'environment: other', 2, 'store_mismatch'],
  ['no store', /sqlite: \S+/, 'sqlite: ./none.db', 5, 'store_unavailable'],
  ['a store with a fault', /sqlite: \S+/, 'sqlite: 1', 2, 'config_invalid'],
])('with %s nothing is revoked', async (_, from, to, code, problem) => {
  const home = homes.copy()
  home.edit((text) => text.replace(from, to))
  const { exitCode, document } = await home.json(['revoke', 'first-key@1', ...because])
  expect([exitCode, document]).toMatchObject([code, { error: { code: problem } }])
  expect(statesIn(home)).toEqual(['first-key@1 active'])
})

test.concurrent('with its store below its keys it is read whole, and revokes as well', async () => {
  const home = homes.copy()
  home.edit((text) => {
    const [line = ''] = /^store: .*\n/m.exec(text) ?? []
    return `${text.replace(line, '')}${line}`
  })
  const { exitCode, document } = await home.json(['revoke', 'first-key@1', ...because])
  expect([exitCode, revoked.parse(document).disabling]).toEqual([0, { verdict: 'done' }])
})
