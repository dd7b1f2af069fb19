import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { AuditLog } from '../audit/log.ts'
import type { SignAppDeps } from '../http/app.ts'
import { type Logger, silentLogger } from '../lib/log.ts'

const problem = z.object({ code: z.string() })

type Denial = {
  readonly what: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly parts?: Parts
  readonly code: string
}

/** What is composed differently for the check. */
type Parts = Partial<Pick<SignAppDeps, 'authenticator' | 'audit' | 'log' | 'observe'>>

type Application = { request(path: string, init: RequestInit): Response | Promise<Response> }

const sign = { method: 'POST', path: '/v1/keys/self-check/sign' } as const
const fingerprint = { method: 'GET', path: '/v1/keys/self-check/fingerprint' } as const

const badCredential = { Authorization: `Bearer chn_${'0'.repeat(10)}_${'0'.repeat(49)}` }

/** No configuration can have a caller of this name, so none can have granted it anything. */
const nobody = { name: '-', attributes: { name: '-' } }
const asNobody: Parts = { authenticator: { authenticate: async () => ({ caller: nobody }) } }
const asked = { ...badCredential, 'Content-Type': 'application/json' }

/** What the composed application must refuse before it listens: a policy that hangs nowhere lets all through. */
const denials: readonly Denial[] = [
  { what: 'a signature without a credential', ...sign, code: 'unauthenticated' },
  { what: 'a fingerprint without a credential', ...fingerprint, code: 'unauthenticated' },
  {
    what: 'a credential that nobody has',
    ...sign,
    headers: badCredential,
    code: 'unauthenticated',
  },
  {
    what: 'a signature without a grant',
    ...sign,
    headers: asked,
    parts: asNobody,
    code: 'key_not_found',
  },
  {
    what: 'a fingerprint without a grant',
    ...fingerprint,
    headers: asked,
    parts: asNobody,
    code: 'key_not_found',
  },
]

/** A check leaves no record, and what it asks for can never be signed. */
const noAudit: AuditLog = {
  commitIntent: () => Promise.reject(new TypeError('self-check: an intent came about')),
  stillMaySign: () => Promise.reject(new TypeError('self-check: an intent came about')),
  noteOutcome() {},
  noteDenial() {},
}

/**
 * @param composed the application as it will listen, but for these parts.
 * @throws {TypeError} when one of the requests is not refused: a bug, and no reason to listen.
 */
export async function assertDenials(composed: (parts: Parts) => Application): Promise<void> {
  const quiet: Parts = { audit: noAudit, log: silentLogger, observe() {} }
  for (const { what, method, path, headers = {}, parts, code } of denials) {
    const body = method === 'POST' ? { body: '{"claims":{}}' } : {}
    const app = composed({ ...quiet, ...parts })
    const response = await app.request(path, { method, headers, ...body })
    const answer = problem.safeParse(await response.json().catch(() => undefined))
    if (answer.data?.code !== code) throw new TypeError(`self-check: ${what} was not refused`)
  }
}

/** A core dump holds every key that a software vault has opened; elsewhere than on Linux nobody says. */
export function warnOfProcess(log: Logger, readLimits = readProcessLimits): void {
  const softLimit = /^Max core file size +(\S+)/m.exec(readLimits())?.[1]
  if ((softLimit ?? '0') !== '0') {
    log.warn('core dumps are on, and would hold keys: start with ulimit -c 0')
  }
}

/** https://man7.org/linux/man-pages/man5/proc_pid_limits.5.html */
function readProcessLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return ''
  }
}
