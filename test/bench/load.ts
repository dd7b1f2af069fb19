import { fileURLToPath } from 'node:url'
import { runNode } from './child.ts'
import { type LoadJob, type LoadResult, loadResult } from './load-job.ts'

const generator = fileURLToPath(new URL('load-generator.ts', import.meta.url))

/** Where load goes: a server of ours, or one to compare it with. */
export type Target = {
  readonly port: number
  readonly pid: number
  /** One whole request. */
  readonly request: string
}

/** No more than one key of a caller may have in flight: none is refused for being one too many. */
export const connections = 64
const warmUpMs = 1_000

/**
 * Load from a process of its own, as many connections as CONTRACT's callers would have.
 *
 * @param ratePerSecond of an open loop; a closed one without it.
 * @throws {Error} when a single answer was not a 200: such a round has no figure.
 */
export async function putLoad(
  target: Target,
  seconds: number,
  ratePerSecond?: number,
): Promise<LoadResult> {
  const result = await putAnyLoad(target, seconds, ratePerSecond)
  if (result.errors === 0) return result
  const { errors, requests, failure } = result
  throw new Error(`${errors} errors beside ${requests} good answers, the first: ${failure}`)
}

/** As `putLoad`, where other answers than 200 belong to what is measured. */
export async function putAnyLoad(
  { port, pid, request }: Target,
  seconds: number,
  ratePerSecond?: number,
): Promise<LoadResult> {
  const job: LoadJob = {
    port,
    request,
    connections,
    warmUpMs,
    serverPid: pid,
    measureMs: seconds * 1_000,
    ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
  }
  return loadResult.parse(JSON.parse(await runNode([generator], JSON.stringify(job))))
}

/** Everything but the path is the same for every server. */
export function postJson(
  {
    port,
    path,
    authorization,
  }: {
    readonly port: number
    readonly path: string
    readonly authorization: string
  },
  body: object,
): string {
  const content = JSON.stringify(body)
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Authorization: ${authorization}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(content)}`,
  ]
  return `${head.join('\r\n')}\r\n\r\n${content}`
}
