import { createHmac } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { systemClock } from '../../src/lib/clock.ts'
import { figure } from '../support/figure.ts'
import { type Home, homesOfThisFile, statesIn, withKey } from '../support/home.ts'
import { apiKeyKey, importSecret } from '../support/imported-keys.ts'
import { assertSeeded, seeded } from '../support/seeded.ts'
import type { Serving } from '../support/serving.ts'

/** A portal makes another secret for the same key id, while services sign with the one before. */

const homes = homesOfThisFile()
const dead = 'a secret of the portal, which dies'
const living = 'a secret of the portal, which lives'

async function homeWithSecret(): Promise<Home> {
  const home = homes.copy()
  const grant = '{ caller: first-caller, key: face, operations: [sign-input], noExpiry: true }'
  home.edit((text) => `${withKey(text, apiKeyKey('face')).trimEnd()}\n  - ${grant}\n`)
  await importSecret(home, 'face', 'k-1', dead)
  return home
}

test('of a key id that does not sign yet: what signs goes on, and the new secret waits as the old one did', async () => {
  const home = await homeWithSecret()
  expect(await home.run(['suspend', 'key', 'face', '--reason', 'a test'])).toMatchObject({
    exitCode: 0,
  })
  await importSecret(home, 'face', 'k-2', dead.toUpperCase())
  const third = ['import', 'face', '--secret', '-', '--key-id', 'k-3']
  const refused = await home.run(third, { input: living.toUpperCase() })
  expect(refused).toMatchObject({ exitCode: 3 })
  expect(refused.stderr).toContain('face@1 and face@2 are there, and no third can be')
  const document = await importSecret(home, 'face', 'k-2', living, '--regenerated')
  expect(document).toMatchObject({ version: 'face@3', state: 'created', replaced: 'face@2' })
  const states = () => statesIn(home).filter((line) => line.startsWith('face@'))
  expect(states()).toEqual(['face@1 active', 'face@2 revoked', 'face@3 created'])
  await home.run(['resume', 'key', 'face', '--reason', 'a test'])
  await home.run(['rotate', 'face'])
  expect(states()).toEqual(['face@1 active', 'face@2 revoked', 'face@3 active'])
})

const segment = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
const payload = { key_id: 'k-1', fingerprint: 'the device’s own' }
const signingInput = `${segment({ alg: 'HS256', typ: 'JWT' })}.${segment(payload)}`
const signatureBy = (secret: string) =>
  createHmac('sha256', secret).update(signingInput).digest('base64url')

type Received = {
  readonly atMs: number
  readonly status: number
  readonly signature: string | undefined
}

const printed = z.looseObject({ replaced: z.literal('face@1'), nothingAfter: z.iso.datetime() })

/** So many signatures each service gives before the command begins, and after it has ended. */
const around = 50

/** What was seen of the secret that was replaced. */
async function regenerateUnderLoad(home: Home, servings: readonly Serving[]) {
  const received: Received[] = []
  const state = { hasEnded: false }
  const signOn = async (serving: Serving, goesOn: (asked: number) => boolean) => {
    for (let asked = 0; goesOn(asked); asked += 1) {
      const { status, body } = await serving.ask('face', { signingInput })
      received.push({ atMs: systemClock.now(), status, signature: body.signature })
    }
  }
  const all = (goesOn: (asked: number) => boolean) =>
    Promise.all(servings.map((serving) => signOn(serving, goesOn)))
  await all((asked) => asked < around)
  const loading = all(() => !state.hasEnded)
  const document = await importSecret(home, 'face', 'k-1', living, '--regenerated')
  state.hasEnded = true
  const intents = intentsIn(home)
  await loading
  await all((asked) => asked < around)
  const nothingAfterMs = Date.parse(printed.parse(document).nothingAfter)
  const dying = received.filter(({ signature }) => signature === signatureBy(dead))
  return {
    refused: received.filter(({ status }) => status !== 200).length,
    byDead: dying.length,
    byLiving: received.filter(({ signature }) => signature === signatureBy(living)).length,
    /** By the dead secret, and received after the instant that the command printed. */
    late: dying.filter(({ atMs }) => atMs > nothingAfterMs).length,
    /** Of the dead secret, and recorded after the command had ended. */
    intentsLate: intentsIn(home) - intents,
  }
}

/** How many intents to sign with the first version there are, read behind the program's back. */
function intentsIn({ at }: Home): number {
  const database = new DatabaseSync(at('chancery.db'), { readOnly: true })
  const row = database
    .prepare(
      `select count(*) as count from audit where body ->> 'type' = 'intent'
        and body ->> 'key' = 'face' and body ->> 'version' = 1`,
    )
    .get()
  database.close()
  return z.object({ count: z.int() }).parse({ ...row }).count
}

test('after `import --regenerated` the dead secret signs nothing more, in any process, and no request fails', async () => {
  const home = await homeWithSecret()
  await using one = await home.serve()
  await using other = await home.serve()
  const seen = await regenerateUnderLoad(home, [one, other])
  const { byDead, byLiving } = seen
  figure(`regenerated under load: ${byDead} signatures by the old secret, ${byLiving} by the new`)
  expect(seen).toMatchObject({ refused: 0, late: 0, intentsLate: 0 })
  expect(byDead).toBeGreaterThanOrEqual(2 * around)
  expect(byLiving).toBeGreaterThanOrEqual(2 * around)
  expect(intentsIn(home)).toBeGreaterThanOrEqual(byDead)
})

test('this test can fail: a service that reads the state only once is found out', async () => {
  const home = await homeWithSecret()
  const mistakes = ['the state is read once, at the start', 'the snapshot is read for an hour']
  await using serving = await home.serve(seeded(...mistakes))
  const { late, intentsLate } = await regenerateUnderLoad(home, [serving])
  expect(Math.min(late, intentsLate)).toBeGreaterThan(0)
  assertSeeded(await serving.stop())
})
