import type { TestProject } from 'vitest/node'
import { type Had, localStack } from './localstack.ts'

declare module 'vitest' {
  // eslint-disable-next-line typescript/consistent-type-definitions -- declarations merge as interfaces alone
  interface ProvidedContext {
    /** Where it listens, or why it is not there. */
    localStack: { readonly endpoint: string } | { readonly missing: string }
  }
}

let had: Had | undefined

/** One for all files: starting it takes longer than most of them. */
export async function setup(project: TestProject): Promise<void> {
  const real = process.env['TEST_REAL']
  had = real === undefined ? await localStack() : { missing: `${real} was asked for in its place` }
  project.provide('localStack', 'missing' in had ? had : { endpoint: had.localStack.endpoint })
}

export async function teardown(): Promise<void> {
  if (had && 'localStack' in had) await had.localStack[Symbol.asyncDispose]()
}
