import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { createServer } from 'node:https'
import { authority, ip4 } from './certificates.ts'
import {
  type Action,
  actionOf,
  actions,
  type Asked,
  dataActions,
  type World,
} from './fake-key-vault/actions.ts'
import { badParameter, type Fault, VaultFault } from './fake-key-vault/fault.ts'
import { type FakeVersion, newVersion } from './fake-key-vault/keys.ts'
import {
  discovery,
  type Identities,
  identityTokenFor,
  tenant,
  tokenFor,
} from './fake-key-vault/tokens.ts'
import {
  answer,
  answerFault,
  assertVersion,
  challenge,
  claimsChallenge,
  play,
  requestIdHeader,
  tokenOf,
  Unauthorized,
} from './fake-key-vault/wire.ts'
import { showDate, type ShownDate } from './shown-date.ts'

export type VaultRequest = {
  readonly action: Action
  readonly method: string
  readonly url: string
  readonly body: unknown
  readonly token: string | undefined
  /** What the vault calls it; no two are called the same. */
  readonly id: string
}

/**
 * Azure Key Vault over HTTPS, with the authority and the managed-identity endpoint that give its tokens: real
 * cryptography over digests, real challenges, and the real service's answers where doubles give others.
 */
export interface FakeKeyVault extends AsyncDisposable {
  /** Of the vault and of the authority, which are one server here. */
  readonly origin: string
  /** What the vault's answers say of its clock. */
  readonly date: ShownDate
  /** PEM: who vouches for it. */
  readonly ca: string
  readonly identityEndpoint: string
  readonly identities: Identities
  readonly world: World
  /** Those with a token that is good; the others are challenges. */
  readonly requests: readonly VaultRequest[]
  readonly challenges: () => number
  readonly count: (...names: readonly Action[]) => number
  readonly add: (name: string, part?: Partial<FakeVersion>) => FakeVersion
  readonly at: (id: string) => FakeVersion
  /** For the next requests, of one action or of any; `bare` ones are those without a token. */
  readonly next: (fault: Fault, options?: NextOptions) => void
  /** Answers so many requests without a token in the other order, once all of them are there. */
  readonly turnAround: (count: number) => void
  /** What no message may show: everything of the vault's own that a message could quote. */
  readonly internals: readonly string[]
}

type NextOptions = { readonly action?: Action; readonly times?: number; readonly isBare?: boolean }
type Planned = Required<Pick<NextOptions, 'isBare'>> & {
  readonly fault: Fault
  readonly action: Action | undefined
  times: number
}

type Inside = {
  readonly world: World
  readonly identities: Identities
  readonly requests: VaultRequest[]
  readonly planned: Planned[]
  readonly held: { count: number; readonly answers: (() => void)[] }
  challenged: number
}

export async function fakeKeyVault(): Promise<FakeKeyVault> {
  const ca = authority('a test of Key Vault')
  const { certificate: cert, key } = ca.issue({ names: [ip4(127, 0, 0, 1)], usage: 'server' })
  let inside: Inside | undefined
  const date: ShownDate = {}
  const server = createServer({ cert, key }, (request, response) => {
    showDate(response, date)
    if (inside) settle(respond(inside, request, response), response)
  })
  const metadata = createHttpServer((request, response) => {
    if (inside) respondIdentity(inside, request, response)
  })
  const origin = `https://127.0.0.1:${await portOf(server)}`
  const identityPort = await portOf(metadata)
  const made = newInside(origin)
  inside = made
  const { world, requests } = made
  return {
    origin,
    date,
    ca: ca.certificate,
    identityEndpoint: `http://127.0.0.1:${identityPort}/msi/token`,
    identities: made.identities,
    world,
    requests,
    challenges: () => made.challenged,
    count: (...names) => requests.filter(({ action }) => names.includes(action)).length,
    add(name, part = {}) {
      const version = newVersion({ ...part, name, origin })
      world.keys.set(name, [...(world.keys.get(name) ?? []), version])
      return version
    },
    at(id) {
      const found = [...world.keys.values()].flat().find((version) => version.id === id)
      if (found) return found
      throw new Error(`the fake has no ${id}`)
    },
    next: (fault, { action, times = 1, isBare = false } = {}) =>
      void made.planned.push({ fault, action, times, isBare }),
    turnAround: (count) => void (made.held.count = count),
    internals: ['https:', '127.0.0.1', tenant, 'AADSTS', 'AKV1', 'example', 'Forbidden'],
    async [Symbol.asyncDispose]() {
      for (const each of [server, metadata]) {
        each.closeAllConnections()
        each.close()
        await once(each, 'close')
      }
    },
  }
}

function newInside(origin: string): Inside {
  return {
    world: {
      origin,
      keys: new Map(),
      deleted: new Set(),
      denied: new Set(),
      hiddenReads: 0,
      hiddenLists: 0,
      pageMax: 25,
      hasEmptyLastPage: false,
      isPremium: true,
    },
    identities: {
      origin,
      certificate: undefined,
      federated: 'a-federated-token',
      identityHeader: 'an-identity-header',
      lifeSeconds: 3_600,
      refusal: undefined,
      wanted: () => undefined,
      tokens: new Map(),
      asked: 0,
    },
    requests: [],
    planned: [],
    held: { count: 0, answers: [] },
    challenged: 0,
  }
}

async function portOf(server: ReturnType<typeof createServer | typeof createHttpServer>) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' ? address?.port : undefined
}

function settle(work: Promise<void>, response: ServerResponse): void {
  work.catch((error: unknown) => {
    const fault = error instanceof VaultFault ? error : new VaultFault(500, 'InternalError', '')
    answerFault(response, fault)
  })
}

async function respond(
  inside: Inside,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { world, identities } = inside
  const text = await textOf(request)
  const id = randomUUID()
  response.setHeader(requestIdHeader, id)
  const { pathname, searchParams: query } = new URL(request.url ?? '/', world.origin)
  if (pathname === `/${tenant}/v2.0/.well-known/openid-configuration`) {
    return answer(response, 200, discovery(identities))
  }
  if (pathname === `/${tenant}/oauth2/v2.0/token`) {
    const { status, body } = tokenFor(identities, new URLSearchParams(text))
    return answer(response, status, body)
  }
  const { method = 'GET' } = request
  const path = pathname.split('/').filter((part) => part !== '')
  const bare: Asked = { method, path, query, body: undefined }
  const action = actionOf(bare)
  const isBare = request.headers.authorization === undefined
  const fault = taken(inside.planned, action, isBare)
  const token = checked(inside, request, response, fault)
  if (token === undefined) return
  const asked = { ...bare, body: text === '' ? undefined : parsed(text) }
  inside.requests.push({ action, method, url: request.url ?? '', body: asked.body, token, id })
  if (fault && play(fault, response, world.origin)) return
  assertVersion(query)
  assertAllowed(world, action)
  const answered = actions[action](world, asked)
  if (fault?.kind === 'lost-reply') response.socket?.resetAndDestroy()
  else answer(response, 200, fault?.kind === 'alter' ? fault.change({ ...answered }) : answered)
}

/** The token, if it is good; else the answer is on its way. */
function checked(
  inside: Inside,
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault | undefined,
): string | undefined {
  const { world, identities, held } = inside
  try {
    return tokenOf(request, identities)
  } catch (error) {
    if (!(error instanceof Unauthorized)) throw error
    inside.challenged += 1
    if (fault && play(fault, response, world.origin)) return undefined
    if (error.claims === undefined) challenge(response, world.origin)
    else claimsChallenge(response, world.origin, error.claims)
    const send = () => answerFault(response, error)
    if (held.count === 0) send()
    else if (held.answers.push(send) === held.count) {
      held.count = 0
      for (const late of held.answers.splice(0).toReversed()) late()
    }
    return undefined
  }
}

function respondIdentity(
  { identities }: Inside,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1')
  const header = request.headers['x-identity-header']
  const given = typeof header === 'string' ? header : undefined
  const { status, body } = identityTokenFor(identities, searchParams, given)
  answer(response, status, body)
}

function assertAllowed({ denied }: World, action: Action): void {
  const name = dataActions[action]
  if (!denied.has(name)) return
  const words = `Caller is not authorized to perform action on resource. Action: 'Microsoft.KeyVault/vaults/keys/${name}' Tenant: ${tenant}`
  throw new VaultFault(403, 'Forbidden', words, 'ForbiddenByRbac')
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw badParameter('The request body is no JSON.')
  }
}

function taken(planned: Planned[], action: Action, isBare: boolean): Fault | undefined {
  const at = planned.findIndex(
    (plan) => plan.isBare === isBare && (plan.action ?? action) === action,
  )
  const plan = planned[at]
  if (!plan) return undefined
  plan.times -= 1
  if (plan.times === 0) planned.splice(at, 1)
  return plan.fault
}
