import { createRemoteJWKSet, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { homesOfThisFile } from '../support/home.ts'
import { publishing, type Publishing } from '../support/publishing.ts'
import { registryHomesOfThisFile } from '../support/registry-home.ts'
import {
  otherRegistries,
  publishDies,
  publishMistakes,
  registryDiesAtCreate,
} from '../support/registry-seeds.ts'
import { rotateDies } from '../support/seeds.ts'
import { type KilledPublish, killPublish, wrongIn } from './kill-publish.ts'
import { figure } from '../support/figure.ts'
import { batches, inLanes, isFull, scale } from './scale.ts'
import { seeded } from '../support/seeded.ts'

const homes = homesOfThisFile()
const registryHome = registryHomesOfThisFile()
/** The others are those of a key without a registry, whose test has them in the subset, too. */
const points = [...(isFull ? Object.keys(rotateDies) : []), ...Object.keys(publishDies)]

/** The registry outlives every `rotate` of a full run. */
const runMs = 7_200_000

const namesOf = (count: number) => Array.from({ length: count }, (_, i) => `key-${i}`)

/** A registry of its own, and a service that nobody has rotated yet. */
async function begun(keys: readonly string[], registry?: keyof typeof otherRegistries) {
  const options = { ...(registry && seeded(registry)), longestMs: runMs }
  const settings = keys.map((name) => ({ name }))
  return publishing(homes.copy(), registryHome(), settings, options)
}

test('a first version whose job is killed anywhere is published once, then signs, with the next run', async () => {
  const totals = { keys: 0, kills: 0 }
  await inLanes(batches(scale.publishRounds), async (rounds) => {
    const keys = namesOf(rounds * points.length)
    const asked = await begun(keys)
    const killed = await killPublish(asked, { keys, rounds, points })
    expect(killed.problems).toEqual([])
    expect(await signedAndVerified(asked, keys)).toEqual(keys)
    await asked.registry.stop()
    totals.keys += killed.keys
    totals.kills += killed.kills
    figure(described(`rotate with a registry, ${points.length} points`, { ...killed, ...totals }))
  })
  expect(totals.kills).toBeGreaterThanOrEqual(scale.publishRounds * points.length)
})

test.each(Object.keys(registryDiesAtCreate))(
  'a registry that dies %s, and comes back, has the key once with the next run',
  async (point) => {
    const [home, registryOf] = [homes.copy(), registryHome()]
    const dying = await publishing(home, registryOf, [{ name: 'key-0' }], seeded(point))
    expect(await home.json(['rotate'])).toMatchObject({
      exitCode: 4,
      document: { steps: [{ step: 'generated' }], failures: [{ code: 'registry_unavailable' }] },
    })
    expect((await dying.registry.ended).exitCode).toBeNull()
    const registry = await registryOf.serve()
    home.edit((text) => text.replace(dying.registry.url, registry.url))
    expect((await home.run(['rotate'])).exitCode).toBe(0)
    const jwksKids = dying.jwksKidsAt(registry.url)
    expect(await wrongIn({ ...dying, registry, jwksKids }, 'key-0')).toEqual([])
    await registry.stop()
  },
)

/** By a verifier who knows nothing but the registry. @returns the keys whose JWT it accepts. */
async function signedAndVerified({ home, jwksUrl }: Publishing, keys: readonly string[]) {
  await using serving = await home.serve()
  const verified: string[] = []
  for (const key of keys) {
    const { body } = await serving.ask(key, { claims: { sub: 'hello' } })
    await jwtVerify(body.jwt ?? '', createRemoteJWKSet(new URL(jwksUrl(key))))
    verified.push(key)
  }
  return verified
}

type Mistake = keyof typeof publishMistakes

const found: Record<
  Mistake,
  { readonly point: string; readonly registry?: keyof typeof otherRegistries; problem: RegExp }
> = {
  'it signs before it is published': {
    point: 'before the lease is given back',
    problem: /key-0@1 signs unlisted/,
  },
  'it publishes without looking, and believes the refusal': {
    point: 'before the reply is read',
    problem: /rotate ends with 3: .*for another app/,
  },
  'it publishes without looking': {
    point: 'before the reply is read',
    registry: 'counts a key pair each time that it is sent',
    problem: /registrations \["(\S{43})","\1"\]/,
  },
  'it does not read back': {
    point: 'after the publication’s intent',
    registry: 'accepts and forgets',
    problem: /jwks \[\]/,
  },
  'it records the publication before it is made': {
    point: 'after the publication’s intent',
    // It signs before anybody is told, and is then told again.
    problem: /rotate ends with 3: key-0@1 activated/,
  },
  'it leaves the publication’s intent open': {
    point: 'after the publication’s intent',
    // Told again for ever: until its registry has enough, or the run its bound of steps.
    problem: /rotate ends with [14]: (?:key-0@1 (?:published|activated)\n){3}/,
  },
}

describe('this test can fail', () => {
  test.each(Object.entries(found))('it finds out that %s', async (mistake, expected) => {
    const keys = namesOf(1)
    const asked = await begun(keys, expected.registry)
    const options = { keys, rounds: 1, points: [expected.point], mistakes: [mistake] }
    const killed = await killPublish(asked, options)
    figure(described(`rotate with a registry, and ${mistake}`, killed))
    expect(killed.problems.join('; ')).toMatch(expected.problem)
    await asked.registry.stop()
  })

  test('a registry that is worse than ours is no problem to a rotation without mistakes', async () => {
    const keys = namesOf(1)
    const worse = await begun(keys, 'counts a key pair each time that it is sent')
    const options = { keys, rounds: 1, points: ['before the reply is read'] }
    expect((await killPublish(worse, options)).problems).toEqual([])
    await worse.registry.stop()
  })
})

function described(name: string, { keys, kills, problems }: KilledPublish): string {
  return `${name}: ${keys} first versions, ${kills} kills: ${problems.join('; ') || 'no problem'}`
}
