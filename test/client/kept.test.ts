import { describe, expect, test } from 'vitest'
import { clientIn } from '../../src/client/client.ts'
import { clientWorld, problemAnswer, signedAnswer } from '../support/client-world.ts'

const options = { url: 'https://chancery.example', credential: 'chn_a' }

/** The service's clock is `aheadMs` of the application's; each JWT says how many there were before. */
function harness({ lastsMs = 600_000, aheadMs = 0 } = {}) {
  const world = clientWorld((_, times) =>
    signedAnswer({ now: world.clocks.now + aheadMs, lastsMs, jwt: `e30.e30.n${times}` }),
  )
  const client = clientIn(world.around, options)
  const signature = async (claims?: object) => {
    const { jwt } = await client.jwt('blog', { ...claims })
    return jwt.split('.')[2]
  }
  return { ...world, client, signature }
}

describe('a JWT is kept', () => {
  test.each([0, 86_400_000, -86_400_000])(
    'until 60 s before its end, and no longer, with a clock that is %i ms wrong',
    async (aheadMs) => {
      const { signature, clocks } = harness({ aheadMs })
      expect(await signature()).toBe('n1')
      clocks.now += 539_000
      clocks.monotonicMs += 539_000
      expect(await signature()).toBe('n1')
      clocks.now += 1_000
      clocks.monotonicMs += 1_000
      expect(await signature()).toBe('n2')
    },
  )

  test.each(['now', 'monotonicMs'] as const)('no longer when only %s says so', async (clock) => {
    const { signature, clocks } = harness()
    await signature()
    clocks[clock] += 540_000
    expect(await signature()).toBe('n2')
  })

  test('by its claims: others get their own', async () => {
    const { signature } = harness()
    const asked = [{}, { sub: 'a' }, { sub: 'b' }, {}, { sub: 'a' }]
    const got: unknown[] = []
    for (const claims of asked) got.push(await signature(claims))
    expect(got).toEqual(['n1', 'n2', 'n3', 'n1', 'n2'])
  })

  test('not at all when it lasts no longer than a minute', async () => {
    const { signature } = harness({ lastsMs: 60_000 })
    expect([await signature(), await signature()]).toEqual(['n1', 'n2'])
  })

  test('only as long as there are not too many: the ones that were asked for last stay', async () => {
    const { signature, asked } = harness()
    for (let n = 0; n <= 256; n += 1) await signature({ n })
    await signature({ n: 256 })
    await signature({ n: 1 })
    expect(asked).toHaveLength(257)
    await signature({ n: 0 })
    expect(asked).toHaveLength(258)
  })
})

test('a hundred that ask at the same time share one request', async () => {
  const { client, asked } = harness()
  const all = await Promise.all(Array.from({ length: 100 }, () => client.jwt('blog')))
  expect(new Set(all.map(({ jwt }) => jwt)).size).toBe(1)
  expect(asked).toHaveLength(1)
})

test('a failure is told to all who waited, and kept for nobody', async () => {
  const world = clientWorld((_, times) =>
    times === 1
      ? problemAnswer(403, 'suspended')
      : signedAnswer({ now: world.clocks.now, lastsMs: 600_000 }),
  )
  const client = clientIn(world.around, options)
  const both = await Promise.allSettled([client.jwt('blog'), client.jwt('blog')])
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await client.jwt('blog')).toMatchObject({ key: 'blog' })
  expect(world.asked).toHaveLength(2)
})

test('sign keeps nothing', async () => {
  const { client, asked } = harness()
  await client.sign('blog', { claims: {} })
  await client.sign('blog', { claims: {} })
  expect(asked).toHaveLength(2)
})
