import { expect, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { clockMistakes } from '../support/clock-seeds.ts'
import { faultyRegistry, type OnFinished } from '../support/faulty-registry.ts'
import { homesOfThisFile, statesIn } from '../support/home.ts'
import { publishing } from '../support/publishing.ts'
import { registryHomesOfThisFile } from '../support/registry-home.ts'
import { assertSeeded, seeded } from '../support/seeded.ts'
import { httpDate } from '../support/shown-date.ts'

/** What an operator is told of a clock that is wrong, and which commands do without it. */

const homes = homesOfThisFile()
const registryHome = registryHomesOfThisFile()

/** From whose registry this host's clock is so far away. */
async function homeAhead(aheadMs: number, onFinished: OnFinished) {
  const { home, registry } = await publishing(homes.copy(), registryHome(), [{ name: 'blog' }])
  await registry.stop()
  const server = await faultyRegistry(undefined, [], onFinished)
  server.date.text = () => httpDate(systemClock.now() - aheadMs)
  home.edit((text) => text.replace(registry.url, server.url))
  return { home, server }
}

const hourMs = 3_600_000
const clocks = [{ source: 'registry apps', verdict: 'refuse' }]
const behind = /The clock of this host is 3\d\d\d s behind that of registry apps: set it by NTP/

test.concurrent('an hour away nothing is rotated, and every command about it says so: exit 3', async ({
  onTestFinished,
}) => {
  const { home, server } = await homeAhead(-hourMs, onTestFinished)
  const rotated = await home.json(['rotate'])
  expect(rotated).toMatchObject({
    exitCode: 3,
    document: { steps: [], failures: [{ key: 'blog', code: 'clock_wrong' }], clocks },
  })
  expect(statesIn(home).filter((state) => state.startsWith('blog'))).toEqual([])
  expect(server.kids).toEqual([])
  for (const args of [['rotate', '--dry-run'], ['sync']]) {
    const said = await home.run(args)
    expect(said).toMatchObject({
      exitCode: 3,
      stdout: expect.stringMatching(behind),
    })
  }
})

test.concurrent('45 s away it is rotated, with a word about it', async ({ onTestFinished }) => {
  const { home } = await homeAhead(45_000, onTestFinished)
  const rotated = await home.json(['rotate'])
  expect(rotated).toMatchObject({
    exitCode: 0,
    document: { failures: [], clocks: [{ source: 'registry apps', verdict: 'warn' }] },
  })
  expect(statesIn(home)).toContain('blog@1 active')
})

test.concurrent('by a clock an hour away a version is revoked, and a caller suspended', async ({
  onTestFinished,
}) => {
  const { home, server } = await homeAhead(0, onTestFinished)
  expect(await home.json(['rotate'])).toMatchObject({ exitCode: 0 })
  server.date.text = () => httpDate(systemClock.now() - hourMs)
  const because = ['--reason', 'a test']
  // How much its registry does in the time of a revocation is another test's.
  const revoked = await home.json(['revoke', 'blog@1', ...because])
  expect(revoked.document).toMatchObject({ version: 'blog@1', before: 'active' })
  expect(statesIn(home)).toContain('blog@1 revoked')
  const suspended = await home.run(['suspend', 'caller', 'first-caller', ...because])
  expect(suspended.exitCode).toBe(0)
})

test.concurrent.for(Object.keys(clockMistakes))(
  'seeded, a rotation by a wrong clock is seen: %s',
  async (mistake, { onTestFinished }) => {
    const { home } = await homeAhead(hourMs, onTestFinished)
    const ran = await home.run(['rotate'], seeded(mistake))
    assertSeeded(ran)
    expect(statesIn(home)).toContain('blog@1 active')
  },
)
