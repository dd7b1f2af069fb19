import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { systemClock } from '../../src/lib/clock.ts'
import { httpDate, showDate, type ShownDate } from './shown-date.ts'
import { actions, denial, type World } from './fake-kms/actions.ts'
import { type Fault, KmsFault } from './fake-kms/fault.ts'
import { account, type FakeKey, newFakeKey, region } from './fake-kms/keys.ts'
import { assertGenuine } from './fake-kms/signature.ts'
import {
  type Accepted,
  actionOf,
  answer,
  answerFault,
  assertSigned,
  play,
  requestIdHeader,
} from './fake-kms/wire.ts'

export type KmsRequest = Accepted & {
  readonly action: string
  readonly body: unknown
  /** What the vault calls it; no two are called the same. */
  readonly id: string
}

/**
 * AWS KMS over HTTP: real cryptography, and the real service's answers where emulators give others. It is
 * of one account and one region.
 */
export interface FakeKms extends AsyncDisposable {
  readonly endpoint: string
  /** What its answers say of its clock. */
  readonly date: ShownDate
  readonly world: World
  readonly requests: readonly KmsRequest[]
  readonly count: (...names: readonly string[]) => number
  readonly add: (spec: string, part?: Partial<FakeKey>) => FakeKey
  readonly keyAt: (arn: string) => FakeKey
  /** For the next requests, of one action or of any. */
  readonly next: (
    fault: Fault,
    options?: { readonly action?: string; readonly times?: number },
  ) => void
  readonly connections: () => Promise<number>
  /** What no message may show: everything of the vault's own that a message could quote. */
  readonly internals: readonly string[]
}

type Planned = { readonly fault: Fault; readonly action: string | undefined; times: number }

/** A vault in which nothing is yet, and which does nothing amiss. */
export function newWorld(): World {
  return {
    keys: new Map(),
    aliases: new Map(),
    denied: new Set(),
    mayCall: () => true,
    hiddenReads: 0,
    hiddenLists: 0,
    pageMax: 1_000,
    hasEmptyLastPage: false,
    importParameters: new Map(),
    clock: () => systemClock.now(),
  }
}

/** @param at the port that it listens on; a free one unless told. */
export async function fakeKms(at = 0): Promise<FakeKms> {
  const world = newWorld()
  const requests: KmsRequest[] = []
  const planned: Planned[] = []
  const date: ShownDate = { text: () => httpDate(world.clock()) }
  const server = createServer((request, response) => {
    showDate(response, date)
    respond({ world, requests, planned }, request, response).catch((error: unknown) => {
      const fault = error instanceof KmsFault ? error : new KmsFault('InternalFailure', '', 500)
      answerFault(response, fault)
    })
  })
  server.listen(at, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    endpoint: `http://127.0.0.1:${port}`,
    date,
    world,
    requests,
    count: (...names) => requests.filter(({ action }) => names.includes(action)).length,
    add(spec, part) {
      const key = newFakeKey(spec, part)
      world.keys.set(key.arn, key)
      return key
    },
    keyAt(arn) {
      const key = world.keys.get(arn)
      if (key) return key
      throw new Error(`the fake has no ${arn}`)
    },
    next: (fault, { action, times = 1 } = {}) => void planned.push({ fault, action, times }),
    connections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
      }),
    internals: ['arn:', account, region, 'key/', '127.0.0.1', String(port), 'example', 'Exception'],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

type Inside = {
  readonly world: World
  readonly requests: KmsRequest[]
  readonly planned: Planned[]
}

async function respond(
  { world, requests, planned }: Inside,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const id = randomUUID()
  response.setHeader(requestIdHeader, id)
  const action = actionOf(request)
  const accepted = assertSigned(request, world.clock())
  const text = Buffer.concat(chunks).toString('utf8')
  await assertGenuine(request, text, accepted)
  const body: unknown = JSON.parse(text)
  requests.push({ action, body, id, ...accepted })
  const fault = taken(planned, action)
  if (fault && play(fault, response)) return
  const handle = actions[action]
  if (!handle) throw new KmsFault('UnknownOperationException', 'no such operation', 404)
  if (world.denied.has(action) || !world.mayCall(accepted.accessKeyId, action, body))
    throw denial(`kms:${action}`, `arn:aws:kms:${region}:${account}:*`)
  const answered = handle(world, body)
  if (fault?.kind === 'lost-reply') response.socket?.resetAndDestroy()
  else answer(response, 200, fault?.kind === 'alter' ? fault.change({ ...answered }) : answered)
}

function taken(planned: Planned[], action: string): Fault | undefined {
  const at = planned.findIndex((plan) => plan.action === undefined || plan.action === action)
  const plan = planned[at]
  if (!plan) return undefined
  plan.times -= 1
  if (plan.times === 0) planned.splice(at, 1)
  return plan.fault
}
