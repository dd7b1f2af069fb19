import { ServiceError } from '../errors.ts'
import { decodeUtf8 } from '../lib/bytes.ts'
import {
  type AuditReport,
  type FoundInput,
  readCheckpoint,
  signedForms,
  signedPart,
} from '../service/audit.ts'
import { exitCodes } from './failure.ts'
import { readInput } from './input.ts'
import type { Context } from './context.ts'

export async function verify(
  { host, output, configFile }: Context,
  checkpointFile: string | undefined,
): Promise<number> {
  const checkpoint =
    checkpointFile === undefined ? [] : readCheckpoint(await readText(checkpointFile))
  await using job = await host.openJob(configFile, 'audit')
  const report = await job.verifyAudit(checkpoint, (records) =>
    output.progress(`${records} records read`),
  )
  output.result(reportLines(report), report)
  return report.verdict === 'whole' ? exitCodes.done : exitCodes.invariantViolated
}

function reportLines(report: AuditReport): readonly string[] {
  const { verdict, breaks, writers, records, intents, unsettled, heads } = report
  return [
    `The audit is ${verdict}: ${records} records by ${writers} writers, ${intents} intents.`,
    ...(unsettled > 0 ? [`${unsettled} intents have no outcome: their signatures may exist.`] : []),
    ...breaks.map(({ writer, seq, problem }) => `BROKEN at ${writer} ${seq}: ${problem}`),
    ...heads.map(({ writer, seq, hash }) => `head ${writer} ${seq} ${hash}`),
    'Keep the heads elsewhere (--json, then --checkpoint): a cut tail shows only against them.',
  ]
}

export async function find(
  { host, output, configFile }: Context,
  wanted: { readonly jwt?: string; readonly message?: string },
): Promise<number> {
  const inputs = await readWanted(wanted)
  await using job = await host.openJob(configFile, 'audit')
  const found = await job.findInAudit(inputs)
  output.result(found.flatMap(foundLines), { found })
  const isComplete = found.length > 0 && found.every(({ records }) => records.length > 0)
  return isComplete ? exitCodes.done : exitCodes.refused
}

function foundLines({ label, records }: FoundInput): readonly string[] {
  if (records.length === 0) return [`${label}: not found`]
  return records.map(
    ({ writer, seq, record }) => `${label}: ${writer} ${seq} ${JSON.stringify(record)}`,
  )
}

async function readWanted({ jwt, message }: { readonly jwt?: string; readonly message?: string }) {
  if (jwt !== undefined && message === undefined) {
    const tokens = jwt === '-' ? (await readText('-')).split('\n') : [jwt]
    return tokens
      .filter((token) => token !== '')
      .map((token, i) => ({ label: `jwt ${i + 1}`, signed: [signedPart(token.trim())] }))
  }
  if (message !== undefined && jwt === undefined)
    return [{ label: message, signed: signedForms(await readInput(message)) }]
  throw new ServiceError('usage', 'Name one of --jwt and --message')
}

async function readText(file: string): Promise<string> {
  return decodeUtf8(await readInput(file))
}
