import { clockWords, clockWrong } from '../lib/clock-watch.ts'
import type { Job } from './host.ts'

/** What a job has seen of clocks that differ from this host's. */
export type OtherClocks = {
  readonly lines: readonly string[]
  /** Of its document; nothing while all is well. */
  readonly members: { readonly clocks?: readonly object[] }
  /** Of those that are too far away. */
  readonly errors: readonly unknown[]
}

export function otherClocks(job: Job): OtherClocks {
  const off = job.clocks().filter(({ verdict }) => verdict !== 'fine')
  const clocks = off.map(({ source, aheadMs, verdict }) => {
    return { source, aheadSeconds: Math.round(aheadMs / 1_000), verdict }
  })
  return {
    lines: off.map(clockWords),
    members: off.length > 0 ? { clocks } : {},
    errors: off.filter(({ verdict }) => verdict === 'refuse').map(clockWrong),
  }
}
