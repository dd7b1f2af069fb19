import { expect, test, vi } from 'vitest'
import { errorOf, type Fault, faultyRegistry } from '../support/faulty-registry.ts'
import { homesOfThisFile, statesIn } from '../support/home.ts'
import { publishing } from '../support/publishing.ts'
import { registryHomesOfThisFile } from '../support/registry-home.ts'

/** `revoke` of a key that verifiers know from a registry. */

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const homes = homesOfThisFile()
const registryHome = registryHomesOfThisFile()
const because = ['--reason', 'a test']
const onDelete =
  (said: ReturnType<Fault>): Fault =>
  ({ method }) =>
    method === 'DELETE' ? said : undefined

test.concurrent('is withdrawn at once: verifiers see it no more, and nobody signs by it', async () => {
  const asked = await publishing(homes.copy(), registryHome(), [{ name: 'blog' }])
  const { home } = asked
  await home.run(['rotate'])
  expect(await asked.jwksKids('blog')).toHaveLength(1)
  await using serving = await home.serve()

  const { exitCode, document } = await home.json(['revoke', 'blog@1', ...because])
  expect(document).toMatchObject({
    withdrawal: { verdict: 'done' },
    disabling: { verdict: 'done' },
    promoted: null,
  })
  expect(exitCode).toBe(0)
  expect(await asked.jwksKids('blog')).toEqual([])
  const refused = await serving.ask('blog', { claims: { sub: 'a' } })
  expect(refused).toMatchObject({ status: 503, body: { code: 'no_active_version' } })
})

const refusals: readonly (readonly [string, Fault, string, string])[] = [
  [
    'refuses it',
    onDelete(errorOf(422, 'ValidationFailed')),
    'registry_refused',
    'The registry does not let go of this key: delete it there by hand',
  ],
  ['is down', onDelete({ status: 503 }), 'registry_unavailable', 'The registry answered 503'],
]

for (const [what, fault, code, message] of refusals)
  test.concurrent(`where the registry ${what} the revocation is in force all the same: exit 4`, async ({
    onTestFinished,
  }) => {
    const asked = await publishing(homes.copy(), registryHome(), [{ name: 'blog' }])
    const { home, registry } = asked
    await home.run(['rotate'])
    const faulty = await faultyRegistry(fault, [...(await asked.jwksKids('blog'))], onTestFinished)
    home.edit((text) => text.replace(registry.url, faulty.url))

    const { exitCode, document, stderr } = await home.json(['revoke', 'blog@1', ...because])
    expect([exitCode, stderr]).toEqual([4, ''])
    expect(document).toMatchObject({
      version: 'blog@1',
      withdrawal: { verdict: 'pending', code, message },
      disabling: { verdict: 'done' },
    })
    expect(statesIn(home)).toContain('blog@1 revoked')
    expect(faulty.kids).toHaveLength(1)
  })
