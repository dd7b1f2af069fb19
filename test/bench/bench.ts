import type { Installation } from './installation.ts'
import type { Options } from './options.ts'
import type { Program } from './program.ts'
import type { Failure } from './report.ts'

/** What every measurement is given. */
export type Bench = {
  readonly program: Program
  readonly installation: Installation
  readonly options: Options
}

export function progress(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Runs one measurement; an error is one more failure, and said at once. */
export async function attempt<T>(
  name: string,
  failures: Failure[],
  measure: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await measure()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    progress(`FAILED ${name}: ${reason}`)
    failures.push({ name, reason })
    return undefined
  }
}

/** @returns per subject all its rounds; a subject that fails is left out from then on. */
export async function interleaved<S extends { readonly name: string; readonly label: string }, R>(
  subjects: readonly S[],
  rounds: number,
  failures: Failure[],
  measure: (subject: S) => Promise<R>,
): Promise<ReadonlyMap<S, readonly R[]>> {
  const measured = new Map<S, R[]>(subjects.map((subject) => [subject, []]))
  for (let round = 1; round <= rounds; round += 1) {
    for (const [subject, results] of measured) {
      progress(`round ${round} of ${rounds}: ${subject.label}`)
      const result = await attempt(subject.name, failures, () => measure(subject))
      if (result === undefined) measured.delete(subject)
      else results.push(result)
    }
  }
  return measured
}
