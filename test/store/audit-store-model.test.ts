import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { IntentEntry, SigningSubject, Verdict } from '../../src/audit/log.ts'
import { mayBecome, type VersionState } from '../../src/keys/lifecycle.ts'
import { isSuspended, type SuspensionSubject } from '../../src/keys/suspension.ts'
import type { Store } from '../../src/store/store.ts'
import { deleteSuspension, insertSuspension } from '../../src/store/suspensions.ts'
import { changeState, findVersion } from '../../src/store/versions.ts'
import { intent } from '../support/audit-records.ts'
import {
  addVersions,
  auditOfThisTest,
  commandRecord,
  type OpenAudit,
  storeFile,
  storeOfThisTest,
  verified,
  versionOf,
} from '../support/store-file.ts'

/** One of two services, or one of two command lines; each has a connection of its own. */
const either = fc.nat({ max: 1 })

const subject: fc.Arbitrary<SigningSubject> = fc.record({
  caller: fc.constantFrom('web', 'app'),
  key: fc.constantFrom('blog', 'docs'),
  version: fc.constantFrom(1, 2, 3),
})
const flag: fc.Arbitrary<SuspensionSubject> = fc.constantFrom(
  { kind: 'key', name: 'blog' },
  { kind: 'version', name: 'docs@2' },
  { kind: 'caller', name: 'app' },
  { kind: 'everything', name: '*' },
)
const state = fc.constantFrom<VersionState>('published', 'active', 'retiring', 'retired', 'revoked')

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      who: either,
      asked: fc.array(subject, { minLength: 1, maxLength: 6 }),
      isFull: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('look' as const), who: either }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('move' as const), who: either, subject, to: state }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('flag' as const),
      who: either,
      flag,
      stop: fc.boolean(),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** So that chance cannot leave a verdict out. */
const blog: SigningSubject = { caller: 'web', key: 'blog', version: 1 }
const some: readonly SigningSubject[] = [blog, { ...blog, key: 'docs' }, { ...blog, version: 3 }]
const commitSome: Step = { do: 'commit', who: 0, asked: [...some], isFull: false }
const everyVerdict: Step[] = [
  commitSome,
  { do: 'move', who: 0, subject: blog, to: 'revoked' },
  { do: 'flag', who: 1, flag: { kind: 'key', name: 'docs' }, stop: true },
  { do: 'flag', who: 1, flag: { kind: 'key', name: 'blog' }, stop: true },
  commitSome,
]

/** The state of the store as a person would keep it on paper. */
class Paper {
  readonly states = new Map<string, VersionState>()
  readonly flags = new Set<string>()
  stored = 0

  verdict(asked: SigningSubject): Verdict {
    const found = this.states.get(`${asked.key}@${asked.version}`)
    if (found === 'revoked') return 'version_revoked'
    if (isSuspended(({ kind, name }) => this.flags.has(`${kind} ${name}`), asked))
      return 'suspended'
    return found === 'active' ? 'may_sign' : 'version_not_active'
  }

  mayMove(key: string, n: number, to: VersionState): boolean {
    const from = this.states.get(`${key}@${n}`)
    const other = this.states.get(`${key}@${3 - n}`)
    return from !== undefined && mayBecome(from, to) && !(to === 'active' && other === 'active')
  }
}

type House = {
  readonly stores: readonly Store[]
  readonly services: readonly OpenAudit[]
  readonly paper: Paper
}

test('every verdict is that of the state at its own transaction, whoever changed it and whatever failed before', async () => {
  const refusals = new Set<Verdict>()
  let verdicts = 0
  const property = fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
    const house = await newHouse()
    for (const one of steps) {
      for (const verdict of await take(house, one)) {
        refusals.add(verdict)
        verdicts += 1
      }
    }
    const [store] = house.stores
    if (!store) throw new Error('a house has a store')
    const { verdict, intents } = await verified(store)
    expect({ verdict, intents }).toEqual({ verdict: 'whole', intents: house.paper.stored })
  })
  await fc.assert(property, { numRuns: 60, examples: [[everyVerdict]] })
  expect([...refusals].toSorted()).toEqual([
    'may_sign',
    'suspended',
    'version_not_active',
    'version_revoked',
  ])
  expect(verdicts).toBeGreaterThan(100)
})

async function newHouse(): Promise<House> {
  const file = await storeFile()
  const stores = [await storeOfThisTest(file, 'A'), await storeOfThisTest(file, 'B')]
  const paper = new Paper()
  const [store] = stores
  for (const key of ['blog', 'docs']) {
    const versions = [versionOf(key, 1), versionOf(key, 2, { state: 'created' })]
    if (store) await addVersions(store, ...versions)
    for (const version of versions) paper.states.set(`${key}@${version.n}`, version.state)
  }
  return { stores, services: [auditOfThisTest(file, 'S'), auditOfThisTest(file, 'T')], paper }
}

/** Does it in the store and on paper. @returns the verdicts, which are the same on both. */
async function take(house: House, one: Step): Promise<readonly Verdict[]> {
  const [store, service] = [house.stores[one.who], house.services[one.who]]
  if (!store || !service) throw new Error('there are two of each')
  switch (one.do) {
    case 'commit':
      return commit(house.paper, service, one)
    case 'look':
      service.audit.snapshot(undefined)
      return []
    case 'move':
      await move(house.paper, store, one)
      return []
    case 'flag':
      await setFlag(house.paper, store, one)
      return []
  }
}

function commit(
  paper: Paper,
  { database, audit }: OpenAudit,
  { asked, isFull }: Extract<Step, { do: 'commit' }>,
): readonly Verdict[] {
  const text = isFull ? 'x'.repeat(9_000) : 'x'
  const intents: readonly IntentEntry[] = asked.map((one) => ({
    ...one,
    body: JSON.stringify(intent('01R', { ...one, grant: text })),
  }))
  const expected = asked.map((one) => paper.verdict(one))
  const permitted = expected.filter((verdict) => verdict === 'may_sign').length
  if (isFull && permitted > 0) {
    database.exec('pragma max_page_count = 1')
    expect(() => audit.commit({ intents, notes: [], checks: asked }, 0)).toThrow('the disk is full')
    database.exec('pragma max_page_count = 100000')
    return []
  }
  const result = audit.commit({ intents, notes: [], checks: asked }, 0)
  expect(result).toEqual({ intents: expected, checks: expected })
  paper.stored += permitted
  return expected
}

async function move(
  paper: Paper,
  store: Store,
  { subject: { key, version: n }, to }: Extract<Step, { do: 'move' }>,
): Promise<void> {
  const moved = store.writeTransaction(async (transaction) => {
    const { connection } = transaction
    const found = await findVersion(connection, key, n)
    if (!found) throw new Error('no such version')
    transaction.record(commandRecord({ subject: `${key}@${n}` }))
    await changeState(connection, found, to, 5)
  })
  if (!paper.mayMove(key, n, to))
    return expect(moved).rejects.toThrow(/cannot become|is active|no such version/)
  await moved
  paper.states.set(`${key}@${n}`, to)
}

async function setFlag(
  paper: Paper,
  store: Store,
  { flag: { kind, name }, stop }: Extract<Step, { do: 'flag' }>,
): Promise<void> {
  await store.writeTransaction(async ({ connection }) => {
    if (stop) await insertSuspension(connection, { kind, name, reason: 'a test', at: 1 })
    else await deleteSuspension(connection, { kind, name })
  })
  if (stop) paper.flags.add(`${kind} ${name}`)
  else paper.flags.delete(`${kind} ${name}`)
}
