import { expect, test } from 'vitest'
import { errorOf, type Fault, faultyRegistry } from '../support/faulty-registry.ts'
import { type Home, homesOfThisFile, statesIn } from '../support/home.ts'
import { publishing } from '../support/publishing.ts'
import { registryHomesOfThisFile } from '../support/registry-home.ts'

/** `revoke` of a key that verifiers know from a registry. */

const homes = homesOfThisFile()
const registryHome = registryHomesOfThisFile()
const because = ['--reason', 'a test']
const onDelete =
  (said: ReturnType<Fault>): Fault =>
  ({ method }) =>
    method === 'DELETE' ? said : undefined

/** `blog@1` signs, `blog@2` waits to be the next, and both are listed. */
async function withStandby() {
  const blog = { name: 'blog', more: ', rotation: { standby: 1 }' }
  const asked = await publishing(homes.copy(), registryHome(), [blog])
  await asked.home.run(['rotate'])
  expect(statesOfBlog(asked.home)).toEqual(['blog@1 active', 'blog@2 published'])
  const [first, second] = await asked.jwksKids('blog')
  return { ...asked, kids: [first, second] }
}

const statesOfBlog = (home: Home) => statesIn(home).filter((state) => state.startsWith('blog@'))
const claims = { claims: { sub: 'a' } }

test.concurrent('the standby signs at once, and verifiers see the revoked version no more', async () => {
  const { home, jwksKids, kids } = await withStandby()
  await using serving = await home.serve()
  expect(await serving.ask('blog', claims)).toMatchObject({ status: 200, body: { version: 1 } })

  const { exitCode, document } = await home.json(['revoke', 'blog@1', ...because])
  expect(document).toMatchObject({
    promoted: 'blog@2',
    withdrawal: { verdict: 'done' },
    disabling: { verdict: 'done' },
  })
  expect(exitCode).toBe(0)
  expect(await serving.ask('blog', claims)).toMatchObject({ status: 200, body: { version: 2 } })
  const [left, ...more] = await jwksKids('blog')
  expect([kids.includes(left), more]).toEqual([true, []])
  const { body } = await serving.ask('blog', claims)
  expect(body.kid).toBe(left)

  // The job makes a new standby, and finds nothing else to do.
  expect((await home.run(['rotate'])).exitCode).toBe(0)
  expect(statesOfBlog(home)).toEqual(['blog@1 revoked', 'blog@2 active', 'blog@3 published'])
})

test.concurrent('with --no-promote nobody signs, and the standby still waits', async () => {
  const { home, jwksKids } = await withStandby()
  await using serving = await home.serve()
  const { exitCode, document } = await home.json(['revoke', 'blog@1', '--no-promote', ...because])
  expect(exitCode).toBe(0)
  expect(document).toMatchObject({ promoted: null, withdrawal: { verdict: 'done' } })
  const refused = await serving.ask('blog', claims)
  expect(refused).toMatchObject({ status: 503, body: { code: 'no_active_version' } })
  expect(statesOfBlog(home)).toEqual(['blog@1 revoked', 'blog@2 published'])
  expect(await jwksKids('blog')).toHaveLength(1)
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
    const { home, registry, jwksKids } = await withStandby()
    const faulty = await faultyRegistry(fault, [...(await jwksKids('blog'))], onTestFinished)
    home.edit((text) => text.replace(registry.url, faulty.url))

    const { exitCode, document, stderr } = await home.json(['revoke', 'blog@1', ...because])
    expect([exitCode, stderr]).toEqual([4, ''])
    expect(document).toMatchObject({
      version: 'blog@1',
      withdrawal: { verdict: 'pending', code, message },
      disabling: { verdict: 'done' },
    })
    expect(statesOfBlog(home)).toEqual(['blog@1 revoked', 'blog@2 active'])
    expect(faulty.kids).toHaveLength(2)

    expect((await home.run(['keys', 'list'])).stdout).toMatch(
      new RegExp(`^ {2}blog@1 {2}revoked .* pending: withdraw \\(${code}\\)$`, 'm'),
    )
    const { document: waiting } = await home.json(['tasks'])
    const isTask = code === 'registry_refused'
    expect(waiting).toMatchObject({
      tasks: isTask ? [{ version: 'blog@1', kind: 'withdraw' }] : [],
    })

    // A registry that has come to its senses: the job has not forgotten.
    home.edit((text) => text.replace(faulty.url, registry.url))
    expect((await home.json(['rotate'])).document).toMatchObject({
      failures: [],
      steps: expect.arrayContaining([{ version: 'blog@1', step: 'withdrawn' }]),
    })
    expect(await jwksKids('blog')).toHaveLength(2) // the one that signs, and a new standby
  })

test.concurrent('a key that the configuration no longer has: nobody is promised what does not happen', async () => {
  const keys = [{ name: 'blog' }, { name: 'news' }]
  const { home } = await publishing(homes.copy(), registryHome(), keys)
  expect((await home.run(['rotate'])).exitCode).toBe(0)
  home.edit((text) => text.replaceAll(/^.*\bblog\b.*\n/gm, ''))

  const { exitCode, stdout } = await home.run(['revoke', 'blog@1', ...because])
  expect(exitCode).toBe(4)
  expect(stdout.split('\n').slice(1)).toEqual([
    'blog has no version that signs now.',
    'It is not yet withdrawn from its registry: The configuration no longer says which registry blog is known to: withdraw it there.',
    'It is disabled in its vault.',
    'No command tries it again, for the configuration has no key blog: `chancery tasks` says what only you can do.',
    '',
  ])
  expect((await home.run(['tasks'])).stdout).toMatch(
    /^blog@1 {2}delete: .*\n {2}1\. Delete the key with the id \S+ from its registry, \S+\n {2}2\. chancery confirm blog@1 --deleted\n/,
  )
  expect(await home.run(['confirm', 'blog@1', '--deleted'])).toMatchObject({
    exitCode: 0,
    stdout: 'blog@1 is deleted at its registry and in its vault: it stays revoked\n',
  })
  expect((await home.run(['tasks'])).stdout).toBe('nothing waits for a human\n')
  expect((await home.run(['keys', 'list'])).stdout).not.toContain('pending')
  expect((await home.run(['revoke', 'blog@1', ...because])).exitCode).toBe(0)
})
