import { ServiceError } from '../errors.ts'
import type { Deed, Done } from '../rotation/job.ts'
import type { RotationFailure } from '../rotation/rotate.ts'
import type { Revoked } from '../service/revoke.ts'
import { exitCodes, problemOf } from './failure.ts'
import type { Catalogued } from './host.ts'
import { revokedDocument, revokedExitCode, revokedWords } from './revoke.ts'

/** What catalogues have done, of a run that may do more: for people, for programs, and for its exit code. */

export type CatalogueRun = {
  readonly revoked: readonly Revoked[]
  /** Those of the run that came after, too, as in `failed`. */
  readonly steps: readonly Done[]
  readonly failed: readonly KeyFailure[]
  /** Apart from `failed`. */
  readonly cutOff: readonly KeyFailure[]
}

/** What the same run did afterwards. */
type Since = {
  readonly isBusy: boolean
  readonly steps: readonly Done[]
  readonly failures: readonly RotationFailure[]
}

/** @param adviceOn a key with a version that is cut off, and of which something else may have failed. */
export function catalogueRun(
  catalogued: Catalogued,
  since: Since,
  adviceOn: (key: string, hasFailed: boolean) => string,
): CatalogueRun {
  const { synced, unrevoked } = catalogued
  const before = synced.verdict === 'done' ? synced : { steps: [], failures: [] }
  const steps = [...before.steps, ...since.steps]
  const revoked = revokedSince(catalogued, steps)
  const failed = [...unrevoked, ...before.failures, ...failuresSince(revoked, since.failures)]
  const keys = new Set(failed.map(({ key }) => key))
  const advice = (key: string) => adviceOn(key, keys.has(key))
  return { revoked, steps, failed, cutOff: since.isBusy ? [] : cutOffFailures(catalogued, advice) }
}

/** What was done, of what is revoked first. */
export function doneLines({ revoked, steps }: CatalogueRun): readonly string[] {
  return [
    ...revoked.flatMap((one) => revokedWords(one, ', as a catalogue says')),
    ...steps.map(({ version, step }) => `${version} ${step}`),
  ]
}

export function failureLines(failures: readonly KeyFailure[]): readonly string[] {
  return failures.map(({ key, error }) => `${key} failed: ${problemOf(error).message}`)
}

export function failureDocuments(failures: readonly KeyFailure[]): readonly object[] {
  return failures.map(({ key, error }) => ({ key, ...problemOf(error) }))
}

/** What is revoked as a `revoke` prints it, one for each. */
export function cataloguedDocument({ ignored, cutOff }: Catalogued, { revoked }: CatalogueRun) {
  return {
    revoked: revoked.map(revokedDocument),
    ignored,
    cutOff: cutOff.map(({ version }) => version),
  }
}

/** Some of the steps that came after may be what a revocation had left. */
function revokedSince({ revoked }: Catalogued, steps: readonly Done[]): readonly Revoked[] {
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

/** Failures of the rotation that came after, but for a second try of what a revocation has left: it tells of that itself. */
function failuresSince(
  revoked: readonly Revoked[],
  failures: readonly RotationFailure[],
): readonly KeyFailure[] {
  return failures.filter(({ deed }) => !deed || !revoked.some((one) => isLeft(one, deed)))
}

function isLeft({ version, disabling, withdrawal }: Revoked, deed: Deed): boolean {
  const part = deed.step === 'disable' ? disabling : withdrawal
  return version === deed.version && part.verdict === 'pending'
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
function cutOffFailures(
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

/** Of a key of which something else failed in the same run: that is what keeps the next one from signing. */
export const otherFailureAdvice =
  'put right what else failed for its key, then run `chancery rotate`, which lets the next one sign where one is ready'

export type KeyFailure = Catalogued['unrevoked'][number]
