import { describe, expect, test } from 'vitest'
import { everything, suspensionKinds, type SuspensionSubject } from '../../src/keys/suspension.ts'
import { readSubject, resume, suspend } from '../../src/service/suspend.ts'
import { listSuspensions } from '../../src/store/suspensions.ts'
import { commandOn, recordsOf } from '../support/command-deps.ts'
import {
  addVersions,
  auditOfThisTest,
  rawOfThisTest,
  storeFile,
  storeOfThisTest,
  versionOf,
} from '../support/store-file.ts'

const known = { keys: new Set(['blog', 'planned']), callers: new Set(['web']) }
const reason = 'an incident'

const subjects: readonly SuspensionSubject[] = [
  { kind: 'key', name: 'blog' },
  { kind: 'version', name: 'blog@1' },
  { kind: 'caller', name: 'web' },
  everything,
]

async function running() {
  const file = await storeFile()
  const store = await storeOfThisTest(file)
  await addVersions(store, versionOf('blog'))
  const { audit } = auditOfThisTest(file)
  /** As the audit's transaction of another process says it. */
  const verdict = () => {
    const intent = { caller: 'web', key: 'blog', version: 1, body: '{}' }
    return audit.commit({ intents: [intent], notes: [], checks: [] }, 0).intents[0]
  }
  return { file, store, verdict, ...commandOn(store) }
}

test('each kind has a subject here', () => {
  expect(subjects.map(({ kind }) => kind)).toEqual(suspensionKinds)
})

describe.each(subjects)('$kind $name', (subject) => {
  test('suspended: no intent commits any more, until it is resumed', async () => {
    const { deps, verdict } = await running()
    expect(verdict()).toBe('may_sign')
    await expect(suspend(deps, known, { subject, reason })).resolves.toMatchObject({
      subject,
      changed: true,
    })
    expect(verdict()).toBe('suspended')
    await expect(resume(deps, { subject, reason })).resolves.toEqual({
      subject,
      changed: true,
      nothingAfter: undefined,
    })
    expect(verdict()).toBe('may_sign')
  })

  test('the audit says by whom and why', async () => {
    const { deps, store, clock } = await running()
    const at = clock.now()
    await suspend(deps, known, { subject, reason })
    await resume(deps, { subject, reason: 'it is over' })
    const who = {
      type: 'command',
      actor: 'anna@bastion',
      subject: `${subject.kind} ${subject.name}`,
    }
    expect(await recordsOf(store)).toEqual([
      { ...who, command: 'suspend', at, reason, after: 'suspended' },
      {
        ...who,
        command: 'resume',
        at: clock.now(),
        reason: 'it is over',
        before: 'suspended',
        after: 'resumed',
      },
    ])
  })

  test('twice changes nothing the second time, and records nothing', async () => {
    const { deps, store } = await running()
    await suspend(deps, known, { subject, reason })
    await expect(suspend(deps, known, { subject, reason })).resolves.toMatchObject({
      changed: false,
    })
    expect(await recordsOf(store)).toHaveLength(1)
    await resume(deps, { subject, reason })
    await expect(resume(deps, { subject, reason })).resolves.toMatchObject({ changed: false })
    expect(await recordsOf(store)).toHaveLength(2)
  })

  test('returns when nothing can leave any more; resuming waits for nothing', async () => {
    const { deps, waits, clock } = await running()
    const { nothingAfter } = await suspend(deps, known, { subject, reason })
    expect(waits).toHaveLength(1)
    expect(nothingAfter).toBe(clock.now())
    await resume(deps, { subject, reason })
    expect(waits).toHaveLength(1)
  })

  test('resumed leaves every other flag where it is', async () => {
    const { deps, store, verdict } = await running()
    for (const each of subjects) await suspend(deps, known, { subject: each, reason })
    await resume(deps, { subject, reason })
    expect(verdict()).toBe('suspended')
    expect(await listSuspensions(store.connection)).toHaveLength(subjects.length - 1)
  })

  test('what cannot be recorded is not done', async () => {
    const { deps, store, file, waits } = await running()
    rawOfThisTest(file).exec(
      "create trigger full before insert on audit begin select raise(abort, 'no room'); end",
    )
    await expect(suspend(deps, known, { subject, reason })).rejects.toThrow('no room')
    expect([await listSuspensions(store.connection), waits]).toEqual([[], []])
  })
})

test.each<SuspensionSubject>([
  { kind: 'key', name: 'nobody' },
  { kind: 'key', name: 'blog@1' },
  { kind: 'key', name: 'web' },
  { kind: 'version', name: 'blog@2' },
  { kind: 'version', name: 'blog' },
  { kind: 'version', name: 'blog@01' },
  { kind: 'caller', name: 'blog' },
  { kind: 'caller', name: 'Web' },
  { kind: 'caller', name: '*' },
])('$kind $name does not exist: a typing error stops nothing and says so', async (subject) => {
  const { deps, store, waits } = await running()
  await expect(suspend(deps, known, { subject, reason })).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringMatching(`^There is no ${subject.kind} .*: see \`chancery keys list\``),
  })
  expect([await listSuspensions(store.connection), await recordsOf(store), waits]).toEqual([
    [],
    [],
    [],
  ])
})

test.each([
  ['a configured key without a version', known, { kind: 'key', name: 'planned' }],
  [
    'a key that the configuration has lost',
    { keys: new Set<string>(), callers: new Set<string>() },
    { kind: 'key', name: 'blog' },
  ],
] as const)('%s can be suspended', async (_, names, subject) => {
  const { deps } = await running()
  await expect(suspend(deps, names, { subject, reason })).resolves.toMatchObject({ changed: true })
})

describe('what a command line names', () => {
  test.each([
    ['key', 'blog', { kind: 'key', name: 'blog' }],
    ['version', 'blog@1', { kind: 'version', name: 'blog@1' }],
    ['caller', 'web', { kind: 'caller', name: 'web' }],
    ['everything', undefined, everything],
  ])('%s %s', (kind, name, subject) => {
    expect(readSubject(kind, name)).toEqual(subject)
  })

  test.each([
    ['everything', 'blog'],
    ['everything', '*'],
    ['key', undefined],
    ['version', undefined],
    ['caller', undefined],
    ['vault', 'local'],
    ['Key', 'blog'],
    ['constructor', 'blog'],
    ['', undefined],
  ])('%s %s is nothing', (kind, name) => {
    expect(() => readSubject(kind, name)).toThrow(expect.objectContaining({ code: 'usage' }))
  })
})
