import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { awsEnvironment, withAwsVault } from '../support/aws-vault.ts'
import type { vaultClockMistakes } from '../support/clock-seeds.ts'
import { fakeKms, type FakeKms } from '../support/fake-kms.ts'
import { type Home, homesOfThisFile, inStore, statesIn, withKey } from '../support/home.ts'
import { assertSeeded, seeded } from '../support/seeded.ts'

/** What is done, and what not, by a clock that its vault contradicts. */

const homes = homesOfThisFile()
const env = awsEnvironment
let kms: FakeKms

beforeAll(async () => {
  kms = await fakeKms()
})
afterAll(() => kms[Symbol.asyncDispose]())

/** KMS itself takes no signature that is 300 s old. */
const vaultAhead = (ms: number) => void (kms.world.clock = () => systemClock.now() + ms)

const key =
  'es256: { vault: aws, alg: ES256, profile: { name: generic-jwt, issuer: https://acme.example }, rotation: { propagation: 1h } }'
const grant =
  '{ caller: first-caller, key: es256, operations: [sign-claims], maxLifetime: 15m, claims: { sub: { text: 20 } } }'

function homeInAws(): Home {
  const home = homes.copy()
  home.edit((text) => `${withKey(withAwsVault(text, kms.endpoint), key)}  - ${grant}\n`)
  return home
}

test('rotate makes no version until the clock is set, and then one of the key that it has made; serve signs, warns once and measures', async () => {
  const home = homeInAws()
  vaultAhead(200_000)
  expect(await home.json(['rotate'], { env })).toMatchObject({
    exitCode: 3,
    document: {
      failures: [{ key: 'es256', code: 'clock_wrong' }],
      clocks: [{ source: 'vault aws', verdict: 'refuse' }],
    },
  })
  expect(await home.run(['rotate'], { env })).toMatchObject({ exitCode: 3 }) // the next run, too
  expect(statesIn(home)).toEqual(['first-key@1 active'])

  vaultAhead(45_000)
  expect(await home.json(['rotate'], { env })).toMatchObject({
    exitCode: 0,
    document: { failures: [], clocks: [{ source: 'vault aws', verdict: 'warn' }] },
  })
  await using serving = await home.serve({ env })
  for (const sub of ['a', 'b']) {
    expect(await serving.ask('es256', { claims: { sub } })).toMatchObject({ status: 200 })
  }
  expect(await serving.readiness()).toMatchObject({ status: 200 })
  const metrics = await (await fetch(`${serving.opsUrl}/metrics`)).text()
  expect(metrics).toMatch(/^chancery_clock_skew_seconds\{source="vault aws"\} -4\d(\.\d+)?$/m)
  const { stderr } = await serving.stop()
  expect(stderr.match(/the clock differs: set it by NTP/g)).toHaveLength(1)
})

function wrongly(mistake: keyof typeof vaultClockMistakes) {
  const start = seeded(mistake)
  return { ...start, env: { ...env, ...start.env } }
}

test('seeded, a rotation by a wrong clock is seen: the Date of a vault is not read', async () => {
  const home = homeInAws()
  vaultAhead(200_000)
  assertSeeded(await home.run(['rotate'], wrongly('the Date of a vault is not read')))
  expect(statesIn(home)).toContain('es256@1 active')
})

describe('a version that was made by a good clock', () => {
  /** It has waited for as long as verifiers need, when the clock goes wrong. */
  async function madeBefore(): Promise<Home> {
    const home = homeInAws()
    vaultAhead(0)
    await home.run(['rotate'], { env })
    await home.run(['rotate', '--now', 'es256'], { env })
    inStore(home, (database) =>
      database.exec(`update versions set created_at = 0 where key = 'es256' and n = 2`),
    )
    vaultAhead(200_000)
    return home
  }

  test('is not switched to by a wrong one', async () => {
    const home = await madeBefore()
    expect(await home.run(['rotate'], { env })).toMatchObject({ exitCode: 3 })
    expect(statesIn(home)).toContain('es256@2 created')
  })

  test('seeded, a switch by a wrong clock is seen: a vault is not asked before it', async () => {
    const home = await madeBefore()
    assertSeeded(await home.run(['rotate'], wrongly('a vault is not asked before a switch')))
    expect(statesIn(home)).toContain('es256@2 active')
  })
})
