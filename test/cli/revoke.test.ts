import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { homesOfThisFile, statesIn } from '../support/home.ts'

const homes = homesOfThisFile()
const because = ['--reason', 'a test']

const revoked = z.strictObject({
  version: z.string(),
  before: z.string(),
  nothingAfter: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  promoted: z.string().nullable(),
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
