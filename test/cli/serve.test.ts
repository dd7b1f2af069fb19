import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { collected, finished, start } from '../support/chancery.ts'
import { homesOfThisFile } from '../support/home.ts'
import { eventually } from '../support/serving.ts'
import { slowSignRequest } from '../support/slow-request.ts'

const homes = homesOfThisFile()
const claims = { claims: { sub: 'a' } }

test.concurrent('serve prints one line when it listens, and nothing else on stdout', async () => {
  const { configFile } = homes.copy()
  const child = start(['--config', configFile, 'serve'])
  const stdout = collected(child.stdout)
  const ended = finished(child)
  await eventually(() => stdout().includes('\n'))
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(
      /^listening: sign http:\/\/127\.0\.0\.1:\d+, ops http:\/\/127\.0\.0\.1:\d+\n$/,
    ),
  })
})

test.concurrent('with --json the line is the two URLs; SIGINT ends it as SIGTERM does', async () => {
  const { configFile } = homes.copy()
  const child = start(['--config', configFile, '--json', 'serve'])
  const stdout = collected(child.stdout)
  const ended = finished(child)
  await eventually(() => stdout().includes('\n'))
  child.kill('SIGINT')
  expect((await ended).exitCode).toBe(0)
  const url = z.string().regex(/^http:\/\/127\.0\.0\.1:\d+$/)
  z.strictObject({ sign: url, ops: url }).parse(JSON.parse(stdout()))
})

const logLine = z.looseObject({
  level: z.enum(['info', 'warn', 'error']),
  at: z.iso.datetime({ precision: 3 }),
  event: z.string(),
})

const requestLine = z.strictObject({
  level: z.literal('info'),
  at: z.iso.datetime({ precision: 3 }),
  event: z.literal('request'),
  request: z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}$/),
  callerRequest: z.string().optional(),
  refusal: z.string().optional(),
  caller: z.string().optional(),
  route: z.string(),
  key: z.string().optional(),
  version: z.int().optional(),
  code: z.string(),
  status: z.int(),
  ms: z.number().nonnegative(),
})

test.concurrent('every request is one JSON line on stderr, that says who, what and how it ended', async () => {
  const home = homes.copy()
  await using serving = await home.serve()
  const signed = await serving.ask('first-key', claims)
  const refused = await serving.ask('first-key', { claims: { sub: 'a', role: 'root' } })
  await serving.ask('no-such-key', claims)
  await serving.ask('first-key', claims, { apiKey: 'chn_wrong' })
  const elsewhere = await fetch(`${serving.signUrl}/admin`)
  const { stdout, stderr } = await serving.stop()
  expect(stdout.split('\n')).toHaveLength(2)

  const lines = stderr
    .trimEnd()
    .split('\n')
    .map((line) => logLine.parse(JSON.parse(line)))
  const requests = lines
    .filter(({ event }) => event === 'request')
    .map((line) => requestLine.parse(line))
  const caller = 'first-caller'
  expect(requests).toMatchObject([
    { route: 'sign', key: 'first-key', caller, version: 1, code: 'ok', status: 200 },
    { route: 'sign', key: 'first-key', caller, code: 'claims_refused', status: 403 },
    { route: 'sign', key: 'no-such-key', caller, code: 'key_not_found', status: 404 },
    { route: 'sign', key: 'first-key', code: 'unauthenticated', status: 401 },
    { code: 'not_found', status: 404 },
  ])
  expect(requests[1]?.request).toBe(refused.body.requestId)
  expect(requests[3]).not.toHaveProperty('caller')
  expect(requests[4]?.request).toBe(elsewhere.headers.get('X-Request-Id'))
  expect(stderr).not.toContain(signed.body.jwt?.split('.')[1])
})

describe('on SIGTERM', () => {
  test.concurrent('it is not ready and still serves, then takes nothing more and finishes what it began', async () => {
    const home = homes.copy()
    await using serving = await home.serve()
    expect(await serving.readiness()).toEqual({ status: 200, reason: 'ok' })
    const slow = await slowSignRequest(serving.signUrl, home.apiKey, claims)
    serving.terminate()
    await eventually(async () => (await serving.readiness()).reason === 'draining')
    expect(await serving.readiness()).toEqual({ status: 503, reason: 'draining' })
    expect((await serving.ask('first-key', claims)).status).toBe(200)

    await eventually(() =>
      fetch(serving.signUrl).then(
        () => false,
        () => true,
      ),
    )
    const answer = await slow.finish()
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(answer).toContain('"jwt":"')
    expect((await serving.ended).exitCode).toBe(0)
    const { document } = await home.json(['audit', 'verify'])
    expect(document).toMatchObject({ verdict: 'whole', intents: 2, unsettled: 0 })
  })
})

describe('an address that is in use', () => {
  test.concurrent.each(['sign', 'ops'])(
    'of the %s listener ends it with exit 2, and what to do',
    async (listener) => {
      const other = createServer().listen(0, '127.0.0.1')
      await once(other, 'listening')
      const address = other.address()
      const port = typeof address === 'object' ? address?.port : undefined
      const home = homes.copy()
      home.edit((text) =>
        text.replace(new RegExp(`(  ${listener}: .*127\\.0\\.0\\.1):0`), `$1:${port}`),
      )
      const { exitCode, document } = await home.json(['serve'])
      other.close()
      expect(exitCode).toBe(2)
      const remedy =
        'it is in use: stop the other process, or configure another address under listen'
      expect(document).toEqual({
        error: {
          code: 'config_invalid',
          message: `Cannot listen on 127.0.0.1:${port}: ${remedy}`,
          issues: [],
        },
      })
    },
  )
})
