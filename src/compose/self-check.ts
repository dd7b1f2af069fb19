import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Logger } from '../lib/log.ts'

const known = '/v1/keys/self-check/sign'

const problem = z.object({ code: z.string() })

/** What the composed application must refuse before it listens: a policy that hangs nowhere lets all through. */
const denials = [
  { what: 'a request without a credential', headers: {}, code: 'unauthenticated' },
  {
    what: 'a credential that nobody has',
    headers: { Authorization: `Bearer chn_${'0'.repeat(10)}_${'0'.repeat(49)}` },
    code: 'unauthenticated',
  },
] as const

type Application = { request(path: string, init: RequestInit): Response | Promise<Response> }

/** @throws {TypeError} when one of them is not refused: a bug, and no reason to listen. */
export async function assertDenials(app: Application): Promise<void> {
  for (const { what, headers, code } of denials) {
    const response = await app.request(known, { method: 'POST', headers })
    const answer = problem.safeParse(await response.json())
    if (answer.data?.code !== code) throw new TypeError(`self-check: ${what} was not refused`)
  }
}

/** A core dump holds every key that a software vault has opened; elsewhere than on Linux nobody says. */
export function warnOfProcess(log: Logger): void {
  const limits = readLimits()
  if (/^Max core file size +(?!0 )/m.test(limits)) {
    log.warn('core dumps are on, and would hold keys: start with ulimit -c 0')
  }
}

/** https://man7.org/linux/man-pages/man5/proc_pid_limits.5.html */
function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return ''
  }
}
