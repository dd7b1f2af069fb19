import process from 'node:process'
import { isMainThread, parentPort, threadId, Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { z } from 'zod'
import { localGenerator } from '../../providers/local/generator.ts'
import { openLocalVault } from '../../providers/local/signer.ts'
import { parseJson } from '../../src/lib/json.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import { openStore } from '../../src/store/store.ts'
import { keyOf } from '../support/grant.ts'
import { askedFor, rotationDeps } from '../support/rotation-job.ts'

/**
 * One of several processes that compete: jobs that each have a connection of their own to one store, in a
 * thread of its own since SQLite waits without giving way, and one vault of files between them. Told a key,
 * all of them rotate it at once; it answers what became of each.
 */
const [file = '', directory = '', masterKeyFile = '', count = ''] = process.argv.slice(2)

if (isMainThread) await obey()
else await work()

async function obey(): Promise<void> {
  const workers = Array.from({ length: Number(count) }, () => {
    return new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) })
  })
  const answers = () => Promise.all(workers.map(answerOf))
  await answers()
  const order = z.strictObject({ key: z.string() })
  process.on('message', (text: string) => {
    const { key } = order.parse(parseJson(text))
    const answered = answers()
    for (const worker of workers) worker.postMessage(key)
    answered.then(
      (answer) => process.send?.({ answer }),
      (error: unknown) => process.send?.({ failure: String(error) }),
    )
  })
  process.send?.({ answer: 'ready' })
}

async function answerOf(worker: Worker): Promise<unknown> {
  const [answer]: readonly unknown[] = await once(worker, 'message')
  return answer
}

async function work(): Promise<void> {
  const config = { provider: 'local', directory, masterKeyFile } as const
  const vault = await openLocalVault(config, { concurrency: 1 })
  const generator = await localGenerator(config)
  const name = `${process.pid}.${threadId}`
  const store = await openStore(file, { writer: name, program: 'rotate', environment: 'test' })
  const deps = { ...rotationDeps(store, { vault, generator, made: [] }), asked: askedFor() }
  // Each stands for a process of its own, and every one of them is alive.
  const holder = { id: name, pid: process.pid * 100 + threadId, isAlive: () => true }
  parentPort?.on('message', (key: string) => {
    rotate(deps, [keyOf(key)], holder).then(
      (result) => parentPort?.postMessage(outcomeOf(result)),
      (error: unknown) =>
        parentPort?.postMessage({ verdict: 'failed', steps: 0, failures: [String(error)] }),
    )
  })
  parentPort?.postMessage('ready')
}

function outcomeOf(result: Awaited<ReturnType<typeof rotate>>): object {
  if (result.verdict === 'busy') return { verdict: 'busy', steps: 0, failures: [] }
  const failures = result.failures.map(({ error }) => String(error))
  return { verdict: 'done', steps: result.steps.length, failures }
}
