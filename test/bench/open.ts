import { type Bench, interleaved } from './bench.ts'
import { putLoad } from './load.ts'
import type { LoadResult } from './load-job.ts'
import { startPeer } from './peer.ts'
import type { Figure, Outcome } from './report.ts'
import type { Service } from './service.ts'
import { openLoopLoad, openLoopRatioMax, type SignatureSubject } from './subjects.ts'

type Round = { readonly service: LoadResult; readonly bare: LoadResult }

/**
 * How long one signature takes at a rate that leaves room, and beside it a server that only signs.
 *
 * @param maximumPerSecond what the closed loop reached.
 */
export async function measureOpen(
  { options: { rounds, seconds } }: Bench,
  service: Service,
  subject: SignatureSubject,
  maximumPerSecond: number,
): Promise<Outcome> {
  const failures: Outcome['failures'][number][] = []
  const rate = Math.round(maximumPerSecond * openLoopLoad)
  const { algorithm, modulusBits } = subject
  await using bare = await startPeer('bare-server.ts', { algorithm, modulusBits })
  const target = service.target(subject.name)
  const named = { name: `open-${subject.name}`, label: `${subject.label} at ${rate}/s` }
  const measured = await interleaved([named], rounds, failures, async () => ({
    service: await putLoad(target, seconds, rate),
    bare: await putLoad({ ...target, port: bare.port, pid: bare.pid }, seconds, rate),
  }))
  return { figures: figuresOf(named, [...measured.values()].flat()), failures }
}

function figuresOf(
  { name, label }: { readonly name: string; readonly label: string },
  rounds: readonly Round[],
): readonly Figure[] {
  if (rounds.length === 0) return []
  const ms = (suffix: string, what: string, read: (round: Round) => number): Figure => ({
    name: `${name}.${suffix}`,
    what: `${label}: ${what}`,
    unit: 'ms',
    rounds: rounds.map(read),
  })
  return [
    ms('p50', 'p50', ({ service }) => service.p50Ms),
    ms('p99', 'p99', ({ service }) => service.p99Ms),
    ms('bare.p50', 'p50 of a server that only signs', ({ bare }) => bare.p50Ms),
    ms('bare.p99', 'p99 of a server that only signs', ({ bare }) => bare.p99Ms),
    ms('late', 'the generator was late, within each', ({ service }) => service.lateP50Ms ?? 0),
    {
      name: `${name}.ratio`,
      what: `${label}: p50 ÷ the other's`,
      unit: 'ratio',
      rounds: rounds.map(({ service, bare }) => service.p50Ms / bare.p50Ms),
      target: { bound: 'max', value: openLoopRatioMax },
    },
  ]
}
