import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { type Home, homesOfThisFile, statesIn } from '../support/home.ts'

const homes = homesOfThisFile()

test.concurrent('rotate --now replaces the version that signs, and keeps the old one for its overlap', async () => {
  const home = homes.copy()
  const { exitCode, document } = await home.json(['rotate', '--now'])
  expect(exitCode).toBe(0)
  expect(document).toEqual({
    verdict: 'done',
    steps: [
      { version: 'first-key@2', step: 'generated' },
      { version: 'first-key@2', step: 'activated' },
      { version: 'first-key@1', step: 'retiring' },
    ],
    waits: [
      {
        key: 'first-key',
        wait: { kind: 'overlap', version: 'first-key@1', until: expect.any(Number) },
      },
    ],
    tasks: [],
    failures: [],
    orphans: [],
    revoked: [],
    ignored: [],
    cutOff: [],
  })
  const again = await home.run(['rotate'])
  expect(again.stdout).toMatch(
    /^first-key waits: first-key@1 stays published until \d{4}-\d\d-\d\dT[\d:.]+Z\n$/,
  )
  expect(statesIn(home)).toEqual(['first-key@1 retiring', 'first-key@2 active'])
})

test.concurrent('rotate --emergency keeps no overlap', async () => {
  const home = homes.copy()
  const { stdout } = await home.run(['rotate', '--emergency'])
  expect(stdout).toBe(
    'first-key@2 generated\nfirst-key@2 activated\nfirst-key@1 retiring\nfirst-key@1 retired\nfirst-key@1 disabled\n',
  )
  expect((await home.run(['rotate'])).stdout).toBe('nothing is due\n')
})

test.concurrent('rotate --now and --emergency at once is a mistake: exit 2', async () => {
  const { exitCode } = await homes.copy().run(['rotate', '--now', '--emergency'])
  expect(exitCode).toBe(2)
})

test.concurrent('rotate --dry-run --now says what would be done, and when the next is due', async () => {
  const home = homes.copy()
  const every = 'alg: ES256, rotation: { every: 90d }'
  home.edit((text) => text.replace('alg: ES256', every.replaceAll(', ', '\n    ')))
  const { document } = await home.json(['rotate', '--dry-run', '--now'])
  expect(document).toMatchObject({ plan: [{ key: 'first-key', step: 'generate' }] })
  const due = await home.run(['rotate', '--dry-run'])
  expect(due.stdout).toMatch(/^first-key: nothing is due before \d{4}-\d\d-\d\dT[\d:.]+Z\n$/)
  expect(statesIn(home)).toEqual(['first-key@1 active'])
})

test.concurrent('a switch waits for a process that serves and has not proved it; a human may answer for that', async () => {
  const home = homes.copy()
  serving(home)
  const { exitCode, document } = await home.json(['rotate', '--now'])
  expect(exitCode).toBe(0)
  expect(document).toMatchObject({
    steps: [{ version: 'first-key@2', step: 'generated' }],
    waits: [{ wait: { kind: 'proof', version: 'first-key@2', processes: ['host-a pid 7'] } }],
  })
  expect((await home.json(['rotate', '--force-switch'])).document).toMatchObject({
    steps: [
      { version: 'first-key@2', step: 'activated' },
      { version: 'first-key@1', step: 'retiring' },
    ],
  })
  expect(auditOf(home)).toContain('forced, not proved by host-a pid 7')
})

/** A process on another host, whose heartbeat is fresh for as long as this test runs. */
function serving(home: Home): void {
  const database = new DatabaseSync(home.at('chancery.db'))
  const insert = `insert into processes (id, host, pid, beat_at) values ('A', 'host-a', 7, 9e14)`
  database.exec(insert)
  database.close()
}

function auditOf(home: Home): string {
  const database = new DatabaseSync(home.at('chancery.db'), { readOnly: true })
  const bodies = database.prepare('select body from audit').all()
  database.close()
  return JSON.stringify(bodies)
}
