import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { runNode } from './child.ts'
import { connections, type Target } from './load.ts'
import { cpuUs, endedChildrenCpuUs } from './process-facts.ts'

/** https://github.com/mcollina/autocannon#autocannonopts-cb: what `--json` prints. */
const report = z.object({
  requests: z.object({ total: z.number(), average: z.number() }),
  latency: z.object({ p50: z.number(), p99: z.number() }),
  errors: z.number(),
  timeouts: z.number(),
  non2xx: z.number(),
})

export type AutocannonResult = {
  readonly requests: number
  readonly perSecond: number
  readonly serverCpuUs: number
  readonly generatorCpuUs: number
}

/** The same load by a generator that others know: what ours says should not differ but by its CPU. */
export async function putAutocannonLoad(
  { pid, port, request }: Target,
  seconds: number,
): Promise<AutocannonResult> {
  const [head = '', body = ''] = request.split('\r\n\r\n')
  const [start = '', ...headers] = head.split('\r\n')
  const [method = '', path = ''] = start.split(' ')
  // It sets these two itself.
  const sent = headers.filter((header) => !/^(?:host|content-length):/i.test(header))
  const serverBeforeUs = cpuUs(pid)
  const childrenBeforeUs = endedChildrenCpuUs()
  const printed = await runNode([
    fileURLToPath(import.meta.resolve('autocannon')),
    '--json',
    '--no-progress',
    '--connections',
    String(connections),
    '--duration',
    String(seconds),
    '--method',
    method,
    '--body',
    body,
    ...sent.flatMap((header) => ['-H', header.replace(': ', '=')]),
    `http://127.0.0.1:${port}${path}`,
  ])
  const { requests, errors, timeouts, non2xx } = report.parse(JSON.parse(printed))
  if (requests.total === 0 || errors + timeouts + non2xx > 0) {
    throw new Error(`autocannon: ${non2xx} not 2xx, ${errors} errors, ${timeouts} timeouts`)
  }
  return {
    requests: requests.total,
    perSecond: requests.average,
    serverCpuUs: (cpuUs(pid) - serverBeforeUs) / requests.total,
    generatorCpuUs: (endedChildrenCpuUs() - childrenBeforeUs) / requests.total,
  }
}
