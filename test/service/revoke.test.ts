import { describe, expect, test } from 'vitest'
import { versionStates } from '../../src/keys/lifecycle.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { revoke } from '../../src/service/revoke.ts'
import { releaseWindowMs } from '../../src/service/sign.ts'
import { findVersion } from '../../src/store/versions.ts'
import { commandOn, recordsOf } from '../support/command-deps.ts'
import { isPending } from '../support/pending.ts'
import {
  addVersions,
  auditOfThisTest,
  rawOfThisTest,
  storeFile,
  storeOfThisTest,
  versionOf,
} from '../support/store-file.ts'

const because = { version: 'blog@1', reason: 'a leak' }

async function storeWith(...versions: readonly ReturnType<typeof versionOf>[]) {
  const file = await storeFile()
  const store = await storeOfThisTest(file)
  await addVersions(store, ...versions)
  return { file, store, ...commandOn(store), stateOf: stateIn(store) }
}

const stateIn =
  (store: Awaited<ReturnType<typeof storeOfThisTest>>) => async (key: string, n: number) =>
    (await findVersion(store.connection, key, n))?.state

describe.each(versionStates.filter((state) => state !== 'revoked'))(
  'a version that is %s',
  (state) => {
    test('is revoked for ever, and the audit says by whom and why', async () => {
      const { deps, store, clock, stateOf } = await storeWith(versionOf('blog', 1, { state }))
      const at = clock.now()
      await expect(revoke(deps, because)).resolves.toMatchObject({
        version: 'blog@1',
        before: state,
      })
      expect(await findVersion(store.connection, 'blog', 1)).toMatchObject({
        state: 'revoked',
        endedAt: at,
      })
      expect(await recordsOf(store)).toEqual([
        {
          type: 'command',
          command: 'revoke',
          at,
          actor: 'anna@bastion',
          subject: 'blog@1',
          reason: 'a leak',
          before: state,
          after: 'revoked',
        },
      ])
      expect(await stateOf('blog', 1)).toBe('revoked')
    })
  },
)

test('a version that is revoked stays so: nothing changes, and nothing is recorded again', async () => {
  const { deps, store, waits } = await storeWith(versionOf('blog'))
  await revoke(deps, because)
  await expect(revoke(deps, { ...because, reason: 'again' })).resolves.toMatchObject({
    before: 'revoked',
  })
  expect(await recordsOf(store)).toHaveLength(1)
  expect(waits).toHaveLength(2)
})

test('no other version is touched', async () => {
  const others = [
    versionOf('blog', 2, { state: 'published' }),
    versionOf('blog-2'),
    versionOf('docs'),
  ]
  const { deps, stateOf } = await storeWith(versionOf('blog'), ...others)
  await revoke(deps, because)
  expect(await stateOf('blog', 2)).toBe('published')
  expect([await stateOf('blog-2', 1), await stateOf('docs', 1)]).toEqual(['active', 'active'])
})

describe('when nothing can leave any more', () => {
  test('after the commit, no intent that relies on the version can commit', async () => {
    const { deps, file } = await storeWith(versionOf('blog'))
    const { audit } = auditOfThisTest(file)
    const batch = {
      intents: [{ caller: 'web', key: 'blog', version: 1, body: '{}' }],
      notes: [],
      checks: [],
    }
    expect(audit.commit(batch, 0).intents).toEqual(['may_sign'])
    const waiting = Promise.withResolvers<void>()
    const asked = revoke({ ...deps, pause: () => waiting.promise }, because)
    expect(await isPending(asked)).toBe(true)
    expect(audit.commit(batch, 0).intents).toEqual(['version_revoked'])
    waiting.resolve()
    await asked
  })

  test('it returns after the release window, and says from when on', async () => {
    const { deps, waits, clock } = await storeWith(versionOf('blog'))
    const { nothingAfter } = await revoke(deps, because)
    expect(waits).toEqual([expect.any(Number)])
    expect(waits[0]).toBeGreaterThanOrEqual(releaseWindowMs)
    expect(nothingAfter).toBe(clock.now())
  })

  test('it really waits', async () => {
    const { store } = await storeWith(versionOf('blog'))
    const startedMs = systemClock.monotonicMs()
    await revoke({ store, clock: systemClock, actor: 'anna@bastion' }, because)
    expect(systemClock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(releaseWindowMs)
  })
})

test('what cannot be recorded is not done', async () => {
  const { deps, file, stateOf, waits } = await storeWith(versionOf('blog'))
  rawOfThisTest(file).exec(
    "create trigger full before insert on audit begin select raise(abort, 'no room'); end",
  )
  await expect(revoke(deps, because)).rejects.toThrow('no room')
  expect(await stateOf('blog', 1)).toBe('active')
  expect(waits).toEqual([])
})

test.each(['blog@2', 'blog-2@1', 'nobody@1'])(
  '%s does not exist: refused, with the next step',
  async (version) => {
    const { deps, store, waits } = await storeWith(versionOf('blog'))
    await expect(revoke(deps, { ...because, version })).rejects.toMatchObject({
      code: 'refused',
      message: `There is no version ${version}: see \`chancery keys list\``,
    })
    expect([await recordsOf(store), waits]).toEqual([[], []])
  },
)

test.each([
  'blog',
  'blog@',
  'blog@0',
  'blog@01',
  '@1',
  'blog@1 ',
  'blog@latest',
  'BLOG@1',
  'blog@*',
  '',
])('%j names no version', async (version) => {
  const { deps, stateOf } = await storeWith(versionOf('blog'))
  await expect(revoke(deps, { ...because, version })).rejects.toMatchObject({ code: 'usage' })
  expect(await stateOf('blog', 1)).toBe('active')
})
