import type { Answer } from './connection.ts'
import type { LoadJob, LoadResult } from './load-job.ts'
import { cpuUs } from './process-facts.ts'
import { percentiles } from './statistics.ts'

/** How much of an answer is quoted: an error's code stands in it, and no signature. */
const quotedCharacters = 600

/** Milliseconds that do not step and are the same in every thread. */
export function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

type Usage = { readonly atMs: number; readonly serverUs: number; readonly generatorUs: number }

/** Counts answers from `begin` to `end`, and errors always. */
export class Tally {
  readonly #job: LoadJob
  readonly #latenciesMs: number[] = []
  #errors = 0
  #failure: string | undefined
  #began: Usage | undefined
  #ended: Usage | undefined

  constructor(job: LoadJob) {
    this.#job = job
  }

  begin(): void {
    this.#began = this.#usage()
  }

  end(): void {
    this.#ended = this.#usage()
  }

  answered({ isOk, bytes }: Answer, latencyMs: number, isMeasured: boolean): void {
    if (!isOk) this.failed(bytes.toString('utf8', 0, quotedCharacters))
    else if (isMeasured) this.#latenciesMs.push(latencyMs)
  }

  failed(reason: string): void {
    this.#errors += 1
    this.#failure ??= reason
  }

  result(): LoadResult {
    const [began, ended] = [this.#began ?? this.#usage(), this.#ended ?? this.#usage()]
    const requests = this.#latenciesMs.length
    if (requests === 0) this.failed('nothing was answered in the measured time')
    const [p50Ms = 0, p99Ms = 0] = percentiles(this.#latenciesMs, [50, 99])
    const each = Math.max(requests, 1)
    return {
      requests,
      errors: this.#errors,
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
      perSecond: (requests / (ended.atMs - began.atMs)) * 1_000,
      p50Ms,
      p99Ms,
      serverCpuUs: (ended.serverUs - began.serverUs) / each,
      generatorCpuUs: (ended.generatorUs - began.generatorUs) / each,
    }
  }

  #usage(): Usage {
    const { user, system } = process.cpuUsage()
    return { atMs: clockMs(), serverUs: this.#serverUs(), generatorUs: user + system }
  }

  #serverUs(): number {
    try {
      return cpuUs(this.#job.serverPid)
    } catch {
      this.failed('the server has ended')
      return 0
    }
  }
}
