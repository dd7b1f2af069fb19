import { describe, expect, test } from 'vitest'
import type { Catalogued, Rotated } from '../../src/cli/host.ts'
import { rotate } from '../../src/cli/rotate.ts'
import { sync } from '../../src/cli/sync.ts'
import { ServiceError } from '../../src/errors.ts'
import type { Done } from '../../src/rotation/job.ts'
import type { Revoked } from '../../src/service/revoke.ts'
import { told } from '../support/told-command.ts'

/** What catalogues have done is told by each command that takes them in: in the text, the document, the exit code. */

const revoked: Revoked = {
  version: 'blog@1',
  before: 'active',
  promoted: undefined,
  signing: undefined,
  promotionError: undefined,
  isConfigured: true,
  nothingAfter: Date.UTC(2026, 10, 21),
  withdrawal: { verdict: 'none' },
  disabling: { verdict: 'done' },
}
const down = new ServiceError('registry_unavailable', 'The registry answered 503')
const pending: Revoked = { ...revoked, withdrawal: { verdict: 'pending', error: down } }

const nothingElse: Catalogued = {
  synced: { verdict: 'done', steps: [], failures: [] },
  revoked: [],
  unrevoked: [],
  ignored: [],
  cutOff: [],
}

const withdrawn: Done = { version: 'blog@1', step: 'withdrawn' }

function rotated(catalogued: Partial<Catalogued>, rotation: Partial<Rotated['rotation']> = {}) {
  const asDone = { verdict: 'done', steps: [], rests: [], failures: [], ...rotation } as const
  const answer: Rotated = {
    catalogued: { ...nothingElse, ...catalogued },
    rotation: rotation.verdict === 'busy' ? { verdict: 'busy' } : asDone,
  }
  return told({ rotate: async () => answer }, (context) => rotate(context, [], {}))
}

function synced(catalogued: Partial<Catalogued>) {
  const job = {
    catalogued: async () => ({ ...nothingElse, ...catalogued }),
    sync: async () => [],
  }
  return told(job, sync)
}

const isRevoked =
  'blog@1 is revoked, as a catalogue says: no signature by it can leave after 2026-11-21T00:00:00.000Z.'
const nobodySigns =
  'blog has no version that signs now: run `chancery rotate blog` when it should sign again.'
const isDisabled = 'It is disabled in its vault.'
const revocation = {
  version: 'blog@1',
  before: 'active',
  promoted: null,
  nothingAfter: '2026-11-21T00:00:00.000Z',
  withdrawal: { verdict: 'none' },
  disabling: { verdict: 'done' },
}

describe.each([
  ['rotate', rotated],
  ['sync', synced],
] as const)('%s', (_, run) => {
  test('tells of a version that it revoked, as `revoke` does', async () => {
    expect(await run({ revoked: [revoked] })).toMatchObject({
      exitCode: 0,
      lines: [isRevoked, nobodySigns, isDisabled],
      document: { revoked: [revocation] },
    })
    expect(await run({ revoked: [{ ...revoked, promoted: 'blog@2' }] })).toMatchObject({
      lines: [isRevoked, 'blog@2 signs now.', isDisabled],
      document: { revoked: [{ ...revocation, promoted: 'blog@2' }] },
    })
  })

  test('exits 4 when a registry has not done its part', async () => {
    expect(await run({ revoked: [pending] })).toMatchObject({
      exitCode: 4,
      lines: [
        isRevoked,
        nobodySigns,
        'It is not yet withdrawn from its registry: The registry answered 503.',
        isDisabled,
        '`chancery rotate` tries it again, each time that it runs.',
      ],
      document: {
        revoked: [{ withdrawal: { verdict: 'pending', code: 'registry_unavailable' } }],
      },
    })
  })

  test('hides no bug, and no worse failure, behind what is left', async () => {
    const bug = new ServiceError('internal_error', 'A bug')
    const ofBug = { ...revoked, disabling: { verdict: 'pending', error: bug } } as const
    expect((await run({ revoked: [ofBug] })).exitCode).toBe(1)
    const unrevoked = [{ key: 'docs', error: new ServiceError('store_unavailable', 'Full') }]
    expect(await run({ revoked: [pending], unrevoked })).toMatchObject({
      exitCode: 5,
      lines: expect.arrayContaining([isRevoked, 'docs failed: Full']),
      document: { failures: [{ key: 'docs', code: 'store_unavailable', message: 'Full' }] },
    })
  })
})

test('what the same run has done since is not called pending', async () => {
  expect(await rotated({ revoked: [pending] }, { steps: [withdrawn] })).toMatchObject({
    exitCode: 0,
    lines: [
      isRevoked,
      nobodySigns,
      'It is withdrawn from its registry.',
      isDisabled,
      'blog@1 withdrawn',
    ],
    document: { revoked: [{ withdrawal: { verdict: 'done' } }] },
  })
})

describe('what the same run has tried once more', () => {
  const denied = new ServiceError('vault_denied', 'The vault refuses access')
  const refused = new ServiceError('registry_refused', 'The registry refuses it')
  const late = new ServiceError('deadline_exceeded', 'Not done in time')
  const deed = { version: 'blog@1', step: 'disable' } as const

  test.each([
    ['disabling', 'disable', denied, denied],
    ['disabling', 'disable', late, denied],
    ['withdrawal', 'withdraw', refused, refused],
    ['withdrawal', 'withdraw', down, late],
  ] as const)('is told once, as of a revocation: %s', async (part, step, first, second) => {
    const left: Revoked = { ...revoked, [part]: { verdict: 'pending', error: first } }
    const failures = [{ key: 'blog', error: second, deed: { ...deed, step } }]
    const { exitCode, lines, document } = await rotated({ revoked: [left] }, { failures })
    expect(exitCode).toBe(4)
    expect(lines.filter((line) => line.startsWith('blog failed'))).toEqual([])
    expect(document).toMatchObject({
      failures: [],
      revoked: [{ [part]: { verdict: 'pending', code: first.code } }],
    })
  })

  test.each([
    ['another version', { ...deed, version: 'blog@2' }],
    ['another deed on it', { ...deed, step: 'withdraw' }],
    ['what stopped its key', undefined],
  ] as const)('hides no failure of %s', async (_, other) => {
    const left: Revoked = { ...revoked, disabling: { verdict: 'pending', error: denied } }
    const failures = [
      { key: 'blog', error: denied, deed },
      { key: 'blog', error: denied, deed: other },
    ]
    expect(await rotated({ revoked: [left] }, { failures })).toMatchObject({
      exitCode: 5,
      document: { failures: [{ key: 'blog', code: 'vault_denied' }] },
    })
  })
})

test('a rotation that another job keeps from its second half tells of its first', async () => {
  const steps = [{ version: 'blog@2', step: 'adopted' }] as const
  const failures = [{ key: 'docs', error: new ServiceError('refused', 'Another key') }]
  const first = { revoked: [revoked], synced: { verdict: 'done', steps, failures } } as const
  expect(await rotated(first, { verdict: 'busy' })).toMatchObject({
    exitCode: 3,
    lines: [
      isRevoked,
      nobodySigns,
      isDisabled,
      'blog@2 adopted',
      'docs failed: Another key',
      'another job is rotating: its run does the rest',
    ],
    document: {
      verdict: 'busy',
      steps,
      failures: [{ key: 'docs', code: 'refused' }],
      revoked: [revocation],
    },
  })
  const nothing = await rotated({ synced: { verdict: 'busy' } }, { verdict: 'busy' })
  expect(nothing).toMatchObject({
    exitCode: 0,
    lines: ['another job is rotating: nothing to do here'],
  })
})

describe('a version that signs, and that its catalogue does not let', () => {
  const cutOff = [{ key: 'blog', version: 'blog@1', isSigning: true }]
  const signs = 'blog failed: blog@1 signs, and its catalogue does not let it: '

  test('is a failure of `sync`, which says what to do', async () => {
    expect(await synced({ cutOff })).toMatchObject({
      exitCode: 3,
      lines: [expect.stringMatching(new RegExp(`^${signs}.*run \`chancery rotate\``))],
      document: { cutOff: ['blog@1'], failures: [{ key: 'blog', code: 'refused' }] },
    })
  })

  const wait = { kind: 'proof', version: 'blog@2', processes: ['host pid 7'] } as const
  test.each([
    [
      'nothing takes its place',
      { kind: 'task', task: { kind: 'provision', isDue: true } },
      'enable its generation again, or apply Terraform with a new one, then run `chancery rotate` again',
    ],
    ['the next one waits', { kind: 'wait', wait }, 'the next one waits: blog@2 is not proved by'],
  ] as const)('is one of `rotate` as long as %s', async (_, rest, words) => {
    const { exitCode, lines, document } = await rotated(
      { cutOff },
      { rests: [{ key: 'blog', rest }] },
    )
    expect([exitCode, lines]).toEqual([3, [expect.stringContaining(`${signs}${words}`)]])
    expect(document).toMatchObject({ cutOff: ['blog@1'], failures: [{ key: 'blog' }] })
  })

  const refused = { key: 'blog', error: new ServiceError('refused', 'No such generation') }
  const untaken = { verdict: 'done', steps: [], failures: [refused] } as const
  test.each([
    ['rotate, when its catalogue is', () => rotated({ cutOff, synced: untaken })],
    ['rotate, when its rotation is', () => rotated({ cutOff }, { failures: [refused] })],
    ['sync, when its catalogue is', () => synced({ cutOff, synced: untaken })],
  ] as const)('is left to the failure that keeps it: %s', async (_, run) => {
    const { exitCode, lines } = await run()
    expect([exitCode, lines]).toEqual([
      3,
      [
        'blog failed: No such generation',
        `${signs}put right what else failed for its key, then run \`chancery rotate\`, which lets the next one sign where one is ready`,
      ],
    ])
  })

  test('is told with what the next one waits for, whatever else failed', async () => {
    const rests = [{ key: 'blog', rest: { kind: 'wait', wait } }] as const
    const { lines } = await rotated({ cutOff }, { rests, failures: [refused] })
    expect(lines).toContainEqual(expect.stringContaining(`${signs}the next one waits: blog@2`))
  })

  test.each([
    ['rotate', () => rotated({ cutOff, synced: { verdict: 'busy' } }, { verdict: 'busy' })],
    ['sync', () => synced({ cutOff, synced: { verdict: 'busy' } })],
  ] as const)('is for the other job to see to, where %s finds one', async (_, run) => {
    expect(await run()).toMatchObject({
      exitCode: 0,
      lines: [expect.stringContaining('another job is rotating')],
    })
  })
})

test('a plan fails, as the run would, where a rotation is due and has no generation to go on with', async () => {
  const plan = (isDue: boolean) => {
    const step = { kind: 'task', task: { kind: 'provision', isDue } } as const
    const job = { plan: async () => [{ key: 'blog', step }] }
    return told(job, (context) => rotate(context, [], { dryRun: true }))
  }
  expect(await plan(true)).toMatchObject({
    exitCode: 3,
    lines: [expect.stringMatching(/^blog: .*Apply Terraform with a new generation/)],
    document: {
      plan: [{ key: 'blog', step: 'task' }],
      failures: [{ key: 'blog', code: 'refused', message: expect.stringContaining('Terraform') }],
    },
  })
  expect(await plan(false)).toMatchObject({ exitCode: 0, document: { failures: [] } })
})

test('a rotation tells of what its catalogues have and it does not take in', async () => {
  const cutOff = [{ key: 'blog', version: 'blog@2', isSigning: false }]
  const { exitCode, lines } = await rotated({ ignored: ['old'], cutOff })
  expect(exitCode).toBe(0)
  expect(lines).toEqual([
    expect.stringContaining('blog@2 stands by, and its catalogue does not let it sign'),
    'old stands in a catalogue and not in the configuration: ignored',
  ])
})
