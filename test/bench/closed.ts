import { z } from 'zod'
import { type AutocannonResult, putAutocannonLoad } from './autocannon.ts'
import { type Bench, interleaved } from './bench.ts'
import { ask, bodyOf } from './connection.ts'
import { putLoad, type Target } from './load.ts'
import type { LoadResult } from './load-job.ts'
import type { RawLoop } from './raw.ts'
import type { Figure, Outcome } from './report.ts'
import type { Service } from './service.ts'
import type { SignatureSubject } from './subjects.ts'

type Round = {
  readonly service: LoadResult
  readonly rawPerSecond: number
  readonly messageBytes: number
  readonly autocannon: AutocannonResult | undefined
}

/** As many requests as the service can take, and beside it what Node alone can sign. */
export async function measureClosed(
  { options: { rounds, seconds, withAutocannon } }: Bench,
  service: Service,
  raw: RawLoop,
  subjects: readonly SignatureSubject[],
): Promise<Outcome> {
  const failures: Outcome['failures'][number][] = []
  const measured = await interleaved(
    subjects,
    rounds,
    failures,
    async (subject): Promise<Round> => {
      const target = service.target(subject.name)
      const messageBytes = await signingInputBytes(target)
      return {
        messageBytes,
        service: await putLoad(target, seconds),
        rawPerSecond: await raw.run(subject, messageBytes, seconds),
        autocannon: withAutocannon ? await putAutocannonLoad(target, seconds) : undefined,
      }
    },
  )
  return { figures: [...measured].flatMap(([subject, all]) => figuresOf(subject, all)), failures }
}

const signed = z.object({ jwt: z.string() })

/** The raw loop signs as much as the service does. */
async function signingInputBytes({ port, request }: Target): Promise<number> {
  const { jwt } = signed.parse(JSON.parse(bodyOf(await ask(port, request))))
  return jwt.lastIndexOf('.')
}

function figuresOf(subject: SignatureSubject, rounds: readonly Round[]): readonly Figure[] {
  const { name, label, ratioMin } = subject
  const [first] = rounds
  if (!first) return []
  const each = (read: (round: Round) => number) => rounds.map(read)
  const raw = `raw crypto.sign of ${first.messageBytes} bytes on all cores`
  return [
    ...loadFigures(
      name,
      label,
      rounds.map(({ service }) => service),
    ),
    {
      name: `${name}.raw`,
      what: `${label}: ${raw}`,
      unit: '/s',
      rounds: each(({ rawPerSecond }) => rawPerSecond),
    },
    {
      name: `${name}.ratio`,
      what: `${label}: service ÷ raw`,
      unit: 'ratio',
      rounds: each(({ service, rawPerSecond }) => service.perSecond / rawPerSecond),
      target: { bound: 'min', value: ratioMin },
    },
    ...autocannonFigures(subject, rounds),
  ]
}

/** What is told of any server under the closed loop. */
export function loadFigures(
  name: string,
  label: string,
  results: readonly LoadResult[],
): readonly Figure[] {
  const each = (read: (result: LoadResult) => number) => results.map(read)
  return [
    {
      name: `${name}.rate`,
      what: `${label}: requests`,
      unit: '/s',
      rounds: each(({ perSecond }) => perSecond),
    },
    {
      name: `${name}.n`,
      what: `${label}: N per round, 0 errors`,
      unit: 'requests',
      rounds: each(({ requests }) => requests),
    },
    { name: `${name}.p50`, what: `${label}: p50`, unit: 'ms', rounds: each(({ p50Ms }) => p50Ms) },
    { name: `${name}.p99`, what: `${label}: p99`, unit: 'ms', rounds: each(({ p99Ms }) => p99Ms) },
    {
      name: `${name}.cpu`,
      what: `${label}: CPU per request, server`,
      unit: 'µs',
      rounds: each(({ serverCpuUs }) => serverCpuUs),
    },
    {
      name: `${name}.generator-cpu`,
      what: `${label}: CPU per request, load generator`,
      unit: 'µs',
      rounds: each(({ generatorCpuUs }) => generatorCpuUs),
    },
  ]
}

function autocannonFigures(
  { name, label }: SignatureSubject,
  rounds: readonly Round[],
): readonly Figure[] {
  const results = rounds.flatMap(({ autocannon }) => autocannon ?? [])
  if (results.length === 0) return []
  const each = (read: (result: AutocannonResult) => number) => results.map(read)
  const about = `${label} with autocannon:`
  return [
    {
      name: `${name}.autocannon.rate`,
      what: `${about} requests`,
      unit: '/s',
      rounds: each(({ perSecond }) => perSecond),
    },
    {
      name: `${name}.autocannon.cpu`,
      what: `${about} CPU per request, server`,
      unit: 'µs',
      rounds: each(({ serverCpuUs }) => serverCpuUs),
    },
    {
      name: `${name}.autocannon.generator-cpu`,
      what: `${about} CPU per request, autocannon`,
      unit: 'µs',
      rounds: each(({ generatorCpuUs }) => generatorCpuUs),
    },
  ]
}
