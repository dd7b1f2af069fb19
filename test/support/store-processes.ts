import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { seeded } from './seeded.ts'

/** A process on a store of its own; it obeys one order after the other. */
export type StoreProcess = {
  readonly pid: number
  /** @returns its answer; rejects with what it failed with. */
  readonly tell: (order: Readonly<Record<string, unknown>>) => Promise<unknown>
}

const reply = z.union([
  z.strictObject({ failure: z.string() }),
  z.strictObject({ answer: z.unknown().optional() }),
])

/** Node keeps what it has compiled: a process starts in half the time. */
const compileCache = join(import.meta.dirname, '../../node_modules/.cache/chancery-test')

/** What runs in each of them: a script that obeys orders, and the mistakes in it. */
export type StoreProgram = {
  readonly script: URL
  readonly args: readonly string[]
  readonly mistakes: readonly string[]
}

const obeying: StoreProgram = {
  script: new URL('store-process.ts', import.meta.url),
  args: [],
  mistakes: [],
}

/** Started side by side, and killed when the test is over. */
export async function storeProcesses(
  count: number,
  program = obeying,
): Promise<readonly StoreProcess[]> {
  return Promise.all(Array.from({ length: count }, () => storeProcess(program)))
}

async function storeProcess({ script, args, mistakes }: StoreProgram): Promise<StoreProcess> {
  const { nodeArguments = [], env = {} } = seeded(...mistakes)
  const child = fork(script, args, {
    execArgv: ['--disable-warning=ExperimentalWarning', ...nodeArguments],
    stdio: 'inherit',
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache, ...env },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = once(child, 'exit').then(() => [{ failure: 'the process has ended' }])
  const answer = async () => {
    const [message]: readonly unknown[] = await Promise.race([once(child, 'message'), ended])
    const parsed = reply.parse(message)
    if ('failure' in parsed) throw new Error(parsed.failure)
    return parsed.answer
  }
  await answer()
  return {
    pid: child.pid ?? 0,
    tell(order) {
      child.send(JSON.stringify(order))
      return answer()
    },
  }
}
