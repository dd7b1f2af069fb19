import { expect, test, vi } from 'vitest'
import { assertDenials, warnOfProcess } from '../../src/compose/self-check.ts'
import { signApp } from '../../src/http/app.ts'
import { silentLogger } from '../../src/lib/log.ts'
import { homesOfThisFile } from '../support/home.ts'
import { house } from '../support/house.ts'
import { signingService } from '../support/signing-service.ts'

const homes = homesOfThisFile()

/** The application as `serve` composes it. */
async function composed() {
  const service = await signingService(house())
  const deps = {
    ...service.deps,
    authenticator: { authenticate: async () => ({ refused: 'malformed' as const }) },
    log: silentLogger,
    isClosing: () => false,
    observe: () => {},
  }
  return { ...service, app: (parts: object) => signApp({ ...deps, ...parts }) }
}

test('the application that refuses what it must is let through, and nothing is recorded', async () => {
  const { app, audit } = await composed()
  await expect(assertDenials(app)).resolves.toBeUndefined()
  expect(audit.events).toEqual([])
})

const answers = (answer: object, status = 200) => ({
  request: () => new Response(JSON.stringify(answer), { status }),
})

test.each([
  ['answers everything', answers({ jwt: 'a.b.c' })],
  ['answers nothing that can be read', { request: () => new Response('ok') }],
  ['refuses without a code', answers({}, 401)],
  ['refuses for another reason', answers({ code: 'malformed_request' }, 400)],
  ['lets nobody but itself in', answers({ code: 'not_found' }, 404)],
])('one that %s is not', async (_, app) => {
  const what = 'self-check: a signature without a credential was not refused'
  await expect(assertDenials(() => app)).rejects.toThrow(what)
})

test('nor is one that lets in whoever has some credential', async () => {
  const { app } = await composed()
  const anybody = { authenticate: async () => ({ caller: { name: 'a', attributes: {} } }) }
  const open = (parts: object) => app({ authenticator: anybody, ...parts })
  const what = 'self-check: a credential that nobody has was not refused'
  await expect(assertDenials(open)).rejects.toThrow(what)
})

test.each([
  ['everybody is let in', 'a signature without a credential was not refused'],
  ['everything is granted', 'a signature without a grant was not refused'],
])('a serve in which %s never listens', async (seed, words) => {
  const home = homes.copy()
  const seeding = new URL('../support/seed.ts', import.meta.url).href
  const { exitCode, stdout, stderr } = await home.run(['--json', 'serve'], {
    nodeArguments: ['--import', seeding],
    env: { CHANCERY_SEED: seed },
  })
  expect(exitCode).toBe(1)
  expect(stdout).not.toContain('"sign":')
  expect(stderr).toContain(words)
})

/** https://man7.org/linux/man-pages/man5/proc_pid_limits.5.html, as Linux lays it out. */
const limits = (soft: string) =>
  'Limit                     Soft Limit           Hard Limit           Units     \n' +
  `Max core file size        ${soft.padEnd(21)}unlimited            bytes     \n` +
  'Max resident set          unlimited            unlimited            bytes     \n'

test.each([
  ['0', false],
  ['unlimited', true],
  ['1', true],
  ['1024', true],
])('a core limit of %s: a warning is %s', (soft, isWarned) => {
  const warned: string[] = []
  const log = { ...silentLogger, warn: (event: string) => void warned.push(event) }
  warnOfProcess(log, () => limits(soft))
  const words = 'core dumps are on, and would hold keys: start with ulimit -c 0'
  expect(warned).toEqual(isWarned ? [words] : [])
})

test('where nobody tells of limits, nobody warns', () => {
  const warn = vi.fn<() => void>()
  warnOfProcess({ ...silentLogger, warn }, () => '')
  expect(warn).not.toHaveBeenCalled()
})
