import type { Bytes } from '../../src/lib/bytes.ts'
import type { Algorithm } from '../../src/signing/algorithms.ts'
import type { Signer, SigningInput } from '../../src/signing/signer.ts'

/** What becomes of a good signature on its way out of the vault. */
export type OnItsWay = (signature: Bytes, signal: AbortSignal) => Bytes | Promise<Bytes>

export type WatchedSigner = Signer & {
  /** Every request that reached the vault: each would be billed. */
  readonly calls: readonly SigningInput[]
  /** Changes what becomes of later signatures. */
  answer(onItsWay: OnItsWay): void
}

/** A vault that counts what it is asked, signs at once, and answers as the test says. */
export function watchedSigner(inner: Signer, onItsWay: OnItsWay = (it) => it): WatchedSigner {
  const calls: SigningInput[] = []
  const state = { onItsWay }
  return {
    calls,
    answer: (changed) => void (state.onItsWay = changed),
    publicKey: (signal) => inner.publicKey(signal),
    async sign(input: SigningInput, row: Algorithm, signal) {
      calls.push(input)
      return state.onItsWay(await inner.sign(input, row, signal), signal)
    },
  }
}

/** A vault that answers nothing but this error. */
export function failing(error: unknown): OnItsWay {
  return () => {
    throw error
  }
}

/** A vault that holds its answers back until it is let go. */
export function held(): { readonly onItsWay: OnItsWay; readonly letGo: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return {
    letGo: resolve,
    onItsWay: async (signature) => {
      await promise
      return signature
    },
  }
}
