import fileSystem, { open } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

/** What reaches the disk, or asks it: each call is a point at which a process may die. */
const calls = ['open', 'stat', 'readdir', 'rename', 'link', 'rm', 'mkdir'] as const
const handleCalls = ['chmod', 'read', 'writeFile', 'sync'] as const

export type FileCall = (typeof calls)[number] | (typeof handleCalls)[number]

/**
 * Runs `work` as a process that dies just before its nth call to the file system: that call and every
 * later one fail, the cleaning up included.
 *
 * @returns whether it died; false when `work` makes fewer calls.
 */
export async function diesBeforeCall(n: number, work: () => Promise<unknown>): Promise<boolean> {
  let count = 0
  const restore = await intercept(async () => {
    count += 1
    if (count >= n) throw new Error('the process has died')
  })
  try {
    await work()
    return false
  } catch (error) {
    if (count >= n) return true
    throw error
  } finally {
    restore()
  }
}

/** Runs `first` to its end just before the first such call of `work`: a race, decided. */
export async function justBefore<T>(
  isMoment: (call: FileCall, subject: unknown) => boolean,
  first: () => Promise<unknown>,
  work: () => Promise<T>,
): Promise<T> {
  let hasCome = false
  const restore = await intercept(async (call, subject) => {
    if (hasCome || !isMoment(call, subject)) return
    hasCome = true
    await first()
  })
  try {
    const answer = await work()
    if (hasCome) return answer
  } finally {
    restore()
  }
  throw new Error('the moment never came')
}

/** In their order. */
export async function fileCallsOf(work: () => Promise<unknown>): Promise<readonly FileCall[]> {
  const seen: FileCall[] = []
  const restore = await intercept(async (call) => {
    seen.push(call)
  })
  try {
    await work()
    return seen
  } finally {
    restore()
  }
}

type Before = (call: FileCall, subject: unknown) => Promise<void>

/** Puts `before` in front of every call, through the live bindings of Node's own modules. */
async function intercept(before: Before): Promise<() => void> {
  await using handle = await open('/dev/null')
  const prototype: object = Object.getPrototypeOf(handle)
  const undo = [
    ...calls.map((call) => wrap(fileSystem, call, before)),
    ...handleCalls.map((call) => wrap(prototype, call, before)),
  ]
  syncBuiltinESMExports()
  return () => {
    for (const restore of undo) restore()
    syncBuiltinESMExports()
  }
}

function wrap(target: object, call: FileCall, before: Before): () => void {
  const original: unknown = Reflect.get(target, call)
  if (typeof original !== 'function') throw new TypeError(`no function ${call}`)
  Reflect.set(target, call, async function wrapped(this: unknown, ...given: unknown[]) {
    await before(call, given[0])
    const answer: unknown = await Reflect.apply(original, this, given)
    return answer
  })
  return () => Reflect.set(target, call, original)
}
