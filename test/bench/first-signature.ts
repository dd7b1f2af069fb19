import { setTimeout as pause } from 'node:timers/promises'
import { type Bench, progress } from './bench.ts'
import { ask } from './connection.ts'
import { rssMb } from './process-facts.ts'
import type { Figure } from './report.ts'
import { startService } from './service.ts'
import { es256, firstSignatureMsMax, hs256, rssMbMax, signatureSubjects } from './subjects.ts'

const starts = 5
const pollMs = 5
const giveUpMs = 30_000

/** A service that has just been asked for is of use from its first signature on. */
export async function measureStart({ program, installation }: Bench): Promise<Figure> {
  const rounds: number[] = []
  for (let start = 1; start <= starts; start += 1) {
    progress(`start ${start} of ${starts}`)
    const startedMs = performance.now()
    await using service = await startService(program, installation)
    const { port, request } = service.target(es256.name)
    while (!(await isSigned(port, request))) {
      if (performance.now() - startedMs > giveUpMs) throw new Error('no signature came')
      await pause(pollMs)
    }
    rounds.push(performance.now() - startedMs)
  }
  return {
    name: 'start.first-signature',
    what: 'start: from spawn to the first signature',
    unit: 'ms',
    rounds,
    target: { bound: 'max', value: firstSignatureMsMax },
  }
}

/** What a replica costs that has little to do. */
export async function measureRss({ program, installation, options }: Bench): Promise<Figure> {
  await using service = await startService(program, installation)
  for (const { name } of [...signatureSubjects, hs256]) {
    const { port, request } = service.target(name)
    if (!(await isSigned(port, request))) throw new Error(`${name} was not signed`)
  }
  progress(`waiting ${options.rssSeconds} s, then reading how much memory serve has`)
  await pause(options.rssSeconds * 1_000)
  return {
    name: 'rss',
    what: `memory (RSS) after ${options.rssSeconds} s with a few requests`,
    unit: 'MB',
    rounds: [rssMb(service.pid)],
    target: { bound: 'max', value: rssMbMax },
  }
}

async function isSigned(port: number, request: string): Promise<boolean> {
  const { isOk } = await ask(port, request)
  return isOk
}
