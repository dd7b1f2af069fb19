import { ServiceError } from '../errors.ts'
import { readExpectation } from '../service/expectation.ts'
import type { Context } from './context.ts'
import { exitCodes, problemOf } from './failure.ts'
import type { ConfirmReport, Job } from './host.ts'
import { notYetDocument, unfinishedWords } from './rotation-words.ts'

export type ConfirmOptions = { readonly fingerprint?: string; readonly deleted?: boolean }

/** A human's word about a registry that no program can ask. */
export async function confirm(
  { host, output, configFile }: Context,
  version: string,
  options: ConfirmOptions,
): Promise<number> {
  const give = wordOf(version, options)
  await using job = await host.openJob(configFile, 'confirm')
  const report = await give(job)
  const { before, after, activationError, waitsFor } = report
  output.result(lines(report, options), {
    version,
    before,
    after,
    waitsFor: notYetDocument(waitsFor),
    activation: activationError === undefined ? null : problemOf(activationError),
  })
  return activationError === undefined ? exitCodes.done : exitCodes.partial
}

function wordOf(
  version: string,
  { fingerprint, deleted }: ConfirmOptions,
): (job: Job) => Promise<ConfirmReport> {
  if (fingerprint !== undefined) {
    const expectation = readExpectation(fingerprint)
    return (job) => job.confirmFingerprint({ version, expectation })
  }
  if (deleted) return (job) => job.confirmDeleted({ version })
  throw new ServiceError('usage', 'Say --fingerprint NAME=VALUE or --deleted')
}

function lines(report: ConfirmReport, { deleted }: ConfirmOptions): readonly string[] {
  const { version, before, after, isGone } = report
  if (before === 'orphan') return [`${version} is deleted in its vault: it is not told any more`]
  if (isGone) return [`${version} is deleted at its registry and in its vault: it stays ${after}`]
  const word = deleted ? 'is deleted at its registry' : 'is the one that its registry shows'
  const change = before === after ? `it stays ${after}` : `it was ${before}, and is ${after}`
  return [`${version} ${word}: ${change}`, ...unfinishedWords(version, after, report)]
}
