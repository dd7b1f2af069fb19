import * as fc from 'fast-check'
import { openStore, type Store } from '../../src/store/store.ts'
import { anyHistory, live } from './rotation-history.ts'
import { identityOf, storeFile } from './store-file.ts'

/** A look at a registry reads every version of the store: it may not grow without end. */
const historiesPerStore = 50

/**
 * Lets keys live through random histories, many in one store.
 *
 * @returns the smallest history that broke a rule, with its seed; undefined when none did.
 */
export async function checkHistories({
  histories,
  seed = 20_261_121,
}: {
  readonly histories: number
  readonly seed?: number
}): Promise<string | undefined> {
  let store: Store | undefined
  let lived = 0
  const property = fc.asyncProperty(anyHistory, async (history) => {
    if (!store || lived % historiesPerStore === 0) {
      await store?.[Symbol.asyncDispose]()
      store = await openStore(await storeFile(), identityOf('A'))
    }
    lived += 1
    const problems = await live(store, `key-${lived}`, history)
    if (problems.length > 0) throw new Error(problems.join('; '))
  })
  const result = await fc.check(property, { numRuns: histories, seed })
  await store?.[Symbol.asyncDispose]()
  if (!result.failed) return undefined
  const [history] = result.counterexample ?? []
  return `seed ${seed}: ${String(result.errorInstance)}: ${JSON.stringify(history)}`
}
