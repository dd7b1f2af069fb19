import * as fc from 'fast-check'
import { estateService } from '../../policy/matrix/service.ts'
import { type Fuzzed, fuzzed } from './arbitrary.ts'
import { bodyText } from './change.ts'
import { check } from './check.ts'

export type Fuzzing = {
  readonly seed: number
  readonly requests: number
  /** By status and code. */
  readonly counts: Readonly<Record<string, number>>
  /** What went wrong with which request; undefined when nothing did. */
  readonly failure: string | undefined
}

/** Sends requests by chance to the whole sign listener, and looks at every answer. */
export async function fuzzSign(seed: number, requests: number): Promise<Fuzzing> {
  const service = await estateService()
  const counts = new Map<string, number>()
  const property = fc.asyncProperty(fuzzed, async (asked) => {
    const { key, caller, isLatin, isRepeated } = asked
    const bytes = new Uint8Array(Buffer.from(bodyText(asked), isLatin ? 'latin1' : 'utf8'))
    const headers = { Authorization: `Bearer ${caller}`, 'Content-Type': 'application/json' }
    const send = async () =>
      service.app.request(`/v1/keys/${key}/sign`, { method: 'POST', headers, body: bytes })
    service.passTime()
    if (isRepeated) await send()
    const calls = service.vaults.get(key)?.calls ?? []
    const before = calls.length
    const response = await send()
    const answer = { status: response.status, body: JSON.parse(await response.text()) }
    const told = `${answer.status} ${answer.body.code ?? 'signed'}`
    counts.set(told, (counts.get(told) ?? 0) + 1)
    const signed = calls.slice(before).map(({ message, digest }) => message ?? digest)
    check(service, asked, Buffer.from(bytes).toString(), { answer, signed })
  })
  const { failed, counterexample, errorInstance } = await fc.check(property, {
    seed,
    numRuns: requests,
  })
  const failure = failed ? `${String(errorInstance)} ${shown(counterexample)}` : undefined
  const sorted = [...counts].toSorted(([one], [other]) => (one < other ? -1 : 1))
  return { seed, requests, counts: Object.fromEntries(sorted), failure }
}

function shown(counterexample: [Fuzzed] | null): string {
  const [asked] = counterexample ?? []
  return asked ? `${JSON.stringify(asked)} as ${bodyText(asked)}` : ''
}
