import { describe, expect, test } from 'vitest'
import { versionStates } from '../../src/keys/lifecycle.ts'
import { manualRegistry } from '../../src/registry/manual.ts'
import { driftOf } from '../../src/service/drift.ts'
import { fingerprints } from '../../src/signing/fingerprint.ts'
import { appRegistry, registrationOf, thrownBy } from '../support/app-registry.ts'
import { errorOf, faultyRegistry } from '../support/faulty-registry.ts'
import { patience } from '../support/signing-service.ts'
import { versionOf } from '../support/store-file.ts'

const url = 'https://github.com/settings/apps/acme-bot'

async function driftWith(kids: string[], versions = allStates) {
  const registry = appRegistry((await faultyRegistry(() => undefined, kids)).url)
  return driftOf(registry, 'blog', versions, patience)
}

/** One version in each state, `kid-created` and so on. */
const allStates = versionStates.map((state, i) =>
  versionOf('blog', i + 1, { state, kid: `kid-${state}` }),
)

describe('drift', () => {
  test('a registry with nothing: what verifiers should see is missing, and only that', async () => {
    expect(await driftWith([])).toEqual({
      verdict: 'known',
      missing: ['blog@2', 'blog@3', 'blog@4'], // published, active, retiring
      ended: [],
      differing: [],
      unknownKids: [],
      used: [],
    })
  })

  test('a registry with everything: what has ended should not be there', async () => {
    expect(await driftWith(allStates.map(({ kid }) => kid))).toEqual({
      verdict: 'known',
      missing: [],
      ended: ['blog@5', 'blog@6', 'blog@7'], // retired, destroyed, revoked
      differing: [],
      unknownKids: [],
      used: [],
    })
  })

  test('a key that nobody here knows is named; one of another key of ours is not', async () => {
    const other = versionOf('shop', 3, { kid: 'kid-shop' })
    expect(await driftWith(['kid-shop', 'kid-foreign'], [other])).toEqual({
      verdict: 'known',
      missing: [],
      ended: [],
      differing: [],
      unknownKids: ['kid-foreign'],
      used: [],
    })
  })

  test('another key’s versions are not missing here', async () => {
    const other = versionOf('shop', 3, { kid: 'kid-shop', state: 'active' })
    expect(await driftWith([], [other])).toMatchObject({ missing: [] })
  })

  test('without a registry, or with one that cannot be asked, it is unknown, which is not none', async () => {
    const unknown = { verdict: 'unknown' }
    expect(await driftOf(undefined, 'blog', allStates, patience)).toEqual(unknown)
    const manual = manualRegistry({ system: 'github', url })
    expect(await driftOf(manual, 'blog', allStates, patience)).toEqual(unknown)
  })

  test('a registry that does not answer is an error, never no drift', async () => {
    const { url: down } = await faultyRegistry(() => errorOf(500, 'ServerError'))
    const error = await thrownBy(driftOf(appRegistry(down), 'blog', allStates, patience))
    expect(error).toMatchObject({
      code: 'registry_unavailable',
      message: 'The registry answered 500',
    })
  })
})

describe('a manual registry', () => {
  const one = registrationOf('RS256')
  test.each(['github', 'icr'] as const)(
    '%s: a task names the page and the fingerprint that it shows',
    async (system) => {
      const manual = manualRegistry({ system, url })
      const shown = fingerprints(one.publicKey)[system]
      expect(await manual.publish(one, patience)).toEqual({
        verdict: 'pending',
        task: {
          url,
          steps: [`Open ${url}`, `See that it lists the key with the fingerprint ${shown}`],
        },
      })
      expect(await manual.withdraw(one, patience)).toEqual({
        verdict: 'pending',
        task: { url, steps: [`Open ${url}`, `Delete the key with the fingerprint ${shown}`] },
      })
    },
  )
})
