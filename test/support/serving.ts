import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { systemClock } from '../../src/lib/clock.ts'
import { collected, finished, type Finished, start, type StartOptions } from './chancery.ts'
import { longestMs } from './longest.ts'

/** A `serve` that listens. Disposal kills it at once; `stop` asks it to end, as an operator would. */
export interface Serving extends AsyncDisposable {
  readonly signUrl: string
  readonly opsUrl: string
  /** Everything it has printed on stdout so far. */
  readonly stdout: () => string
  /** Everything it has logged so far. */
  readonly stderr: () => string
  readonly ask: (key: string, body: object, options?: AskOptions) => Promise<Answer>
  /** `/readyz`: status and reason. */
  readonly readiness: () => Promise<{ readonly status: number; readonly reason: string }>
  /** Closes the pipes that it prints and logs to. */
  readonly deafen: () => void
  readonly terminate: () => void
  readonly ended: Promise<Finished>
  readonly stop: () => Promise<Finished>
}

export type AskOptions = { readonly apiKey?: string; readonly accept?: string }

export type Answer = { readonly status: number; readonly text: string; readonly body: AnswerBody }

const answerBody = z.looseObject({
  jwt: z.string().optional(),
  signature: z.string().optional(),
  kid: z.string().optional(),
  version: z.int().optional(),
  code: z.string().optional(),
  requestId: z.string().optional(),
})
type AnswerBody = z.infer<typeof answerBody>

const urls = z.strictObject({ sign: z.string(), ops: z.string() })

export async function serve(
  configFile: string,
  apiKey: string,
  options: StartOptions = {},
): Promise<Serving> {
  const child = start(['--config', configFile, '--json', 'serve'], options)
  const [stdout, stderr] = [collected(child.stdout), collected(child.stderr)]
  const ended = finished(child)
  await Promise.race([eventually(() => stdout().endsWith('\n')), ended])
  const listening = urls.safeParse(stdout() && JSON.parse(stdout())).data
  if (!listening) throw new Error(`serve does not listen: ${(await ended).stderr}`)
  const { sign: signUrl, ops: opsUrl } = listening
  return {
    signUrl,
    opsUrl,
    stdout,
    stderr,
    ended,
    ask: (key, body, asked = {}) =>
      ask(`${signUrl}/v1/keys/${key}/sign`, body, { apiKey, ...asked }),
    readiness: async () => {
      const response = await fetch(`${opsUrl}/readyz`)
      return { status: response.status, reason: (await response.text()).trim() }
    },
    deafen() {
      child.stdout?.destroy()
      child.stderr?.destroy()
    },
    terminate: () => child.kill('SIGTERM'),
    async stop() {
      child.kill('SIGTERM')
      return ended
    },
    [Symbol.asyncDispose]: () => killed(child),
  }
}

async function ask(
  url: string,
  body: object,
  { apiKey = '', accept }: AskOptions,
): Promise<Answer> {
  const headers = {
    Authorization: `Bearer ${apiKey}`,
    'Content-Type': 'application/json',
    ...(accept === undefined ? {} : { Accept: accept }),
  }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  const text = await response.text()
  const parsed = text.startsWith('{') ? answerBody.parse(JSON.parse(text)) : {}
  return { status: response.status, text, body: parsed }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

/** What another process does cannot be awaited: it is looked at until it is done. */
export async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpMs = systemClock.monotonicMs() + longestMs
  while (systemClock.monotonicMs() < giveUpMs) {
    if (await isSo()) return
    await sleep(20)
  }
  throw new Error(`not so after ${longestMs} ms: ${String(isSo)}`)
}
