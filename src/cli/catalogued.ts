import { ServiceError } from '../errors.ts'
import type { Done } from '../rotation/job.ts'
import type { Revoked } from '../service/revoke.ts'
import { exitCodes } from './failure.ts'
import type { Catalogued } from './host.ts'
import { revokedDocument, revokedExitCode, revokedWords } from './revoke.ts'

/** What catalogues have done, of a run that may do more: for people, for programs, and for its exit code. */

/** @param steps that the same run did afterwards: some may be what a revocation had left. */
export function revokedSince({ revoked }: Catalogued, steps: readonly Done[]): readonly Revoked[] {
  return revoked.map((one) => {
    const done = (step: Done['step']) =>
      steps.some((other) => other.version === one.version && other.step === step)
    return {
      ...one,
      ...(done('withdrawn') && { withdrawal: { verdict: 'done' } }),
      ...(done('disabled') && { disabling: { verdict: 'done' } }),
    }
  })
}

export function revokedLines(revoked: readonly Revoked[]): readonly string[] {
  return revoked.flatMap((one) => revokedWords(one, ', as a catalogue says'))
}

/** As a `revoke` prints it, one for each. */
export function revokedDocuments(revoked: readonly Revoked[]): readonly object[] {
  return revoked.map(revokedDocument)
}

/** As of a `revoke`, beside what else went wrong. */
export function exitCodeWith(revoked: readonly Revoked[], exitCode: number): number {
  const codes = new Set(revoked.map(revokedExitCode))
  if (codes.has(exitCodes.bug)) return exitCodes.bug
  return exitCode === exitCodes.done && codes.has(exitCodes.partial) ? exitCodes.partial : exitCode
}

/** But not of those that sign: these are failures. */
export function strayLines({ ignored, cutOff }: Catalogued): readonly string[] {
  const waiting = cutOff.filter(({ isSigning }) => !isSigning)
  return [
    ...waiting.map(
      ({ version }) =>
        `${version} stands by, and its catalogue does not let it sign: enable its generation, or apply Terraform with a new one`,
    ),
    ...ignored.map((key) => `${key} stands in a catalogue and not in the configuration: ignored`),
  ]
}

/**
 * Versions that sign, and from which their catalogues have taken that: their vaults may refuse them at any moment.
 *
 * @param next what to do, or what the next version waits for.
 */
export function cutOffFailures(
  { cutOff }: Catalogued,
  next: (key: string) => string,
): readonly KeyFailure[] {
  return cutOff
    .filter(({ isSigning }) => isSigning)
    .map(({ key, version }) => {
      const message = `${version} signs, and its catalogue does not let it: ${next(key)}`
      return { key, error: new ServiceError('refused', message) }
    })
}

export function cutOffDocument({ cutOff }: Catalogued): readonly string[] {
  return cutOff.map(({ version }) => version)
}

type KeyFailure = Catalogued['unrevoked'][number]

export function failuresOf({ unrevoked, synced }: Catalogued): readonly KeyFailure[] {
  return [...unrevoked, ...(synced.verdict === 'done' ? synced.failures : [])]
}
