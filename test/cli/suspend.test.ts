import { expect, test } from 'vitest'
import { z } from 'zod'
import { homesOfThisFile } from '../support/home.ts'

const homes = homesOfThisFile()
const because = ['--reason', 'a test']

const suspension = z.strictObject({
  kind: z.string(),
  name: z.string(),
  changed: z.boolean(),
  nothingAfter: z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    .optional(),
})

test.concurrent.each([
  ['key', 'first-key'],
  ['version', 'first-key@1'],
  ['caller', 'first-caller'],
  ['everything'],
])('suspend %s %s stops a running service at once; resume lets it go on', async (...subject) => {
  const home = homes.copy()
  await using serving = await home.serve()
  const ask = () => serving.ask('first-key', { claims: { sub: 'a' } })
  expect((await ask()).status).toBe(200)

  const suspended = await home.json(['suspend', ...subject, ...because])
  expect(suspended.exitCode).toBe(0)
  const document = suspension.parse(suspended.document)
  expect(document).toMatchObject({
    kind: subject[0],
    changed: true,
    nothingAfter: expect.any(String),
  })
  expect(await ask()).toMatchObject({ status: 403, body: { code: 'suspended' } })

  const resumed = await home.json(['resume', ...subject, ...because])
  expect(resumed.exitCode).toBe(0)
  expect(suspension.parse(resumed.document)).toMatchObject({ kind: subject[0], changed: true })
  expect((await ask()).status).toBe(200)
})

test.concurrent('flags are independent: resuming everything leaves a suspended key suspended', async () => {
  const home = homes.copy()
  await Promise.all([
    home.run(['suspend', 'key', 'first-key', ...because]),
    home.run(['suspend', 'everything', ...because]),
  ])
  const resumed = await home.run(['resume', 'everything', ...because])
  expect(resumed.stdout).toBe('everything is resumed; other suspensions stay.\n')
  expect((await home.run(['keys', 'list'])).stdout).toContain('first-key@1  active (suspended)  ')
})

test.concurrent('doing it again changes nothing, and the exit code is 0', async () => {
  const home = homes.copy()
  const notYet = await home.json(['resume', 'key', 'first-key', ...because])
  const first = await home.json(['suspend', 'key', 'first-key', ...because])
  const again = await home.json(['suspend', 'key', 'first-key', ...because])
  const all = [notYet, first, again]
  expect(all.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0])
  expect(all.map(({ document }) => suspension.parse(document).changed)).toEqual([
    false,
    true,
    false,
  ])
})

test.concurrent.each([
  ['a key that is not there', ['key', 'nobody'], 3, 'There is no key nobody: '],
  [
    'a version that is not there',
    ['version', 'first-key@9'],
    3,
    'There is no version first-key@9: ',
  ],
  ['a caller that is not there', ['caller', 'nobody'], 3, 'There is no caller nobody: '],
  [
    'an unknown kind',
    ['vault', 'local'],
    2,
    'Name one of: key NAME, version KEY@N, caller NAME, everything',
  ],
  [
    'everything with a name',
    ['everything', 'else'],
    2,
    'Name one of: key NAME, version KEY@N, caller NAME, everything',
  ],
])('%s is refused', async (_, subject, exitCode, words) => {
  const { run } = homes.copy()
  const ran = await run(['suspend', ...subject, ...because])
  expect(ran).toMatchObject({ exitCode, stdout: '' })
  expect(ran.stderr).toContain(`chancery: ${words}`)
})
