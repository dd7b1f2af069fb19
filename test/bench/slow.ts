import { type Bench, interleaved } from './bench.ts'
import { fileURLToPath } from 'node:url'
import { firstLine, startNode, stop } from './child.ts'
import { putLoad, type Target } from './load.ts'
import type { LoadResult } from './load-job.ts'
import type { Figure, Outcome } from './report.ts'
import type { Service } from './service.ts'
import { median } from './statistics.ts'
import { es256, slow } from './subjects.ts'

const generator = fileURLToPath(new URL('slow-clients.ts', import.meta.url))

/** Far below what the service can take: its queue is not what is measured. */
const ratePerSecond = 500

/** Both controls are the same measurement: what they differ by is the machine's doing. */
type Round = { readonly alone: LoadResult; readonly again: LoadResult; readonly beside: LoadResult }

/** What healthy callers notice of clients that drip their headers. */
export async function measureSlow(
  { options: { rounds, seconds } }: Bench,
  service: Service,
): Promise<Outcome> {
  const failures: Outcome['failures'][number][] = []
  const target = service.target(es256.name)
  const put = () => putLoad(target, seconds, ratePerSecond)
  const measured = await interleaved([slow], rounds, failures, async (): Promise<Round> => {
    const alone = await put()
    const beside = await besideSlowClients(target, put)
    return { alone, beside, again: await put() }
  })
  return { figures: figuresOf([...measured.values()].flat()), failures }
}

async function besideSlowClients<T>({ port }: Target, work: () => Promise<T>): Promise<T> {
  const child = startNode([generator, String(port), String(slow.connections)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    if ((await firstLine(child)) === undefined) throw new Error('the slow clients have ended')
    return await work()
  } finally {
    await stop(child)
  }
}

function figuresOf(rounds: readonly Round[]): readonly Figure[] {
  if (rounds.length === 0) return []
  const ms = (name: string, what: string, read: (round: Round) => number): Figure => ({
    name: `${slow.name}.${name}`,
    what: `${es256.label} at ${ratePerSecond}/s: ${what}`,
    unit: 'ms',
    rounds: rounds.map(read),
  })
  const p99OfBoth = ({ alone, again }: Round) => (alone.p99Ms + again.p99Ms) / 2
  const fifthMs = Math.round(20 * median(rounds.map(p99OfBoth))) / 100
  const allowedMs = Math.max(fifthMs, slow.movedMsMax)
  return [
    ms('p99', 'p99 alone', p99OfBoth),
    ms(
      'beside.p99',
      `p99 beside ${slow.connections} slow connections`,
      ({ beside }) => beside.p99Ms,
    ),
    ms('control', 'p99 alone, second less first', ({ alone, again }) => again.p99Ms - alone.p99Ms),
    {
      ...ms('moved', 'p99 moved by', (round) => round.beside.p99Ms - p99OfBoth(round)),
      target: { bound: 'max', value: allowedMs },
    },
  ]
}
