import { type Bench, interleaved } from './bench.ts'
import { clockMs } from './tally.ts'
import { openConnections } from './connection.ts'
import { postJson } from './load.ts'
import type { Figure, Outcome } from './report.ts'
import type { Service } from './service.ts'
import { welchT } from './statistics.ts'
import { existence } from './subjects.ts'

type Pair = {
  readonly name: string
  readonly label: string
  /** Two requests that nobody may tell apart by the time of their answers. */
  readonly requests: readonly [string, string]
}

/** So many of the slowest are left out: they tell of the machine, and drown what the code does. */
const keptShare = 0.9

/**
 * How surely two requests could be told apart by time: Welch's t of their times, asked in random
 * order on one connection (https://eprint.iacr.org/2016/1123). Beyond 4.5 they could be.
 */
export async function measureExistence(
  { options: { rounds, seconds }, installation: { authorization } }: Bench,
  service: Service,
): Promise<Outcome> {
  const failures: Outcome['failures'][number][] = []
  const measured = await interleaved(
    pairsAt(service.port, authorization),
    rounds,
    failures,
    async ({ requests }) => tOf(service.port, requests, seconds),
  )
  const figures = [...measured].map(([{ name, label }, ts]): Figure => ({
    name: `${existence.name}.${name}`,
    what: `|t| of ${label}`,
    unit: 't',
    rounds: ts,
    target: { bound: 'max', value: existence.tMax },
  }))
  return { figures: figures.filter(({ rounds: ts }) => ts.length > 0), failures }
}

function pairsAt(port: number, authorization: string): readonly Pair[] {
  const body = { claims: { sub: 'tenant:42' } }
  const to = (key: string, as = authorization) =>
    postJson({ port, path: `/v1/keys/${key}/sign`, authorization: as }, body)
  // Of one length: what is longer takes longer to read, and says nothing.
  const unknownId = authorization.replace(/chn_.{10}/, 'chn_0000000000')
  const wrongSecret = authorization.replace(/.{6}$/, '000000')
  return [
    {
      name: 'control',
      label: 'one unknown key and itself',
      requests: [to('no-such-00'), to('no-such-00')],
    },
    {
      name: 'key',
      label: 'a key without a grant and no key at all',
      requests: [to(existence.ungrantedKey), to('no-such-00')],
    },
    {
      name: 'api-key',
      label: 'an API key with a wrong secret and an unknown one',
      requests: [to('no-such-00', wrongSecret), to('no-such-00', unknownId)],
    },
  ]
}

/** @returns |t|; every answer ends a connection of its own where it has to. */
async function tOf(
  port: number,
  requests: readonly [string, string],
  seconds: number,
): Promise<number> {
  const times: readonly [number[], number[]] = [[], []]
  const bytes = requests.map((request) => Buffer.from(request))
  const untilMs = clockMs() + seconds * 1_000
  let random = 1
  while (clockMs() < untilMs) {
    random = (random * 48_271) % 2_147_483_647 // MINSTD: any order will do that is none
    const which = random & 1
    times[which === 0 ? 0 : 1].push(await timeOf(port, bytes[which] ?? Buffer.alloc(0)))
  }
  return Math.abs(welchT(quick(times[0]), quick(times[1])))
}

async function timeOf(port: number, request: Uint8Array): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const [connection] = await openConnections({ port, connections: 1 }, request, {
    answered: () => resolve(),
    broke: (_, reason) => reject(new Error(reason)),
  })
  const startedMs = clockMs()
  connection?.send()
  await promise
  const tookMs = clockMs() - startedMs
  connection?.close()
  return tookMs
}

function quick(times: readonly number[]): readonly number[] {
  return times.toSorted((a, b) => a - b).slice(0, Math.floor(times.length * keptShare))
}
