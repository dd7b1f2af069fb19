import type { VaultObserver } from '../../src/signing/vault-requests.ts'
import { type GuardLimits, VaultGuard } from '../../src/signing/vault-guard.ts'
import { fakeTime } from './fake-time.ts'

export type Told = { readonly answered: string[]; readonly refused: string[] }

/** What was told of requests, in order. */
export function rememberingObserver(): VaultObserver & Told {
  const answered: string[] = []
  const refused: string[] = []
  return {
    answered,
    refused,
    vaultAnswered: ({ vault, code }) => void answered.push(`${vault} ${code}`),
    vaultRefused: (vault, reason) => void refused.push(`${vault} ${reason}`),
  }
}

/** A guard whose time is in the test's hands. */
export function guarded(limits: Partial<GuardLimits> = {}) {
  const time = fakeTime()
  const observer = rememberingObserver()
  const guard = new VaultGuard(
    { concurrency: 64, quotaPerSecond: undefined, ...limits },
    { vault: 'aws', clock: time, observer },
  )
  return { time, observer, guard }
}

/** A vault that answers when the time has come, and gives up with the signal. */
export function answeringAfter<T>(ms: number, answer: T) {
  return (signal: AbortSignal): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const timer = setTimeout(() => resolve(answer), ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(signal.reason)
    })
    return promise
  }
}

/** What became of it, once it has: `ok`, or the code. */
export function codeOf(asked: Promise<unknown>): Promise<string> {
  return asked.then(
    () => 'ok',
    (error: unknown) =>
      error instanceof Error && 'code' in error ? String(error.code) : String(error),
  )
}
