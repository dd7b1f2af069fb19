import { ServiceError } from '../errors.ts'
import { decodeUtf8 } from '../lib/bytes.ts'
import { instant } from '../lib/clock.ts'
import { parseJson } from '../lib/json.ts'
import type { Explanation } from '../service/explain.ts'
import type { Context } from './context.ts'
import { exitCodes } from './failure.ts'
import { readInput } from './input.ts'

export type ExplainOptions = {
  readonly caller: string
  readonly key: string
  readonly claims?: string
  readonly signingInput?: string
}

/** What the service would answer, and which rule makes it do so; refused is exit 3. */
export async function explain(
  { host, output, configFile }: Context,
  options: ExplainOptions,
): Promise<number> {
  const { caller, key } = options
  const body = await readBody(options)
  await using job = await host.openJob(configFile, 'explain')
  const explanation = await job.explain({ caller, key, body })
  output.result(lines(options, explanation), document(options, explanation))
  return explanation.answer.verdict === 'allow' ? exitCodes.done : exitCodes.refused
}

/** As it would be sent. @throws {ServiceError} `usage`, `malformed_request`. */
async function readBody({ claims, signingInput }: ExplainOptions): Promise<object> {
  if (claims !== undefined && signingInput === undefined) {
    return { claims: parseJson(decodeUtf8(await readInput(claims))) }
  }
  if (signingInput !== undefined && claims === undefined) {
    return { signingInput: decodeUtf8(await readInput(signingInput)).trim() }
  }
  throw new ServiceError('usage', 'Name one of --claims and --signing-input')
}

function lines(
  { caller, key }: ExplainOptions,
  { operation, grant, answer }: Explanation,
): readonly string[] {
  const where = grant === undefined ? `no grant lets ${caller}` : `${grant} lets ${caller}`
  if (answer.verdict === 'allow') {
    const { version, header, payload, expiresAt } = answer
    return [
      `ALLOWED  ${where} ${operation} with ${key}`,
      `signs    ${version}`,
      `header   ${header}`,
      `payload  ${payload}`,
      `expires  ${expiresAt === undefined ? 'never' : instant(expiresAt)}`,
    ]
  }
  const { code, message, details } = answer.error
  const { rule, claim, activeKid } = details
  const named = [rule && `rule ${rule}`, claim && `claim ${claim}`, activeKid && `kid ${activeKid}`]
  return [
    `REFUSED  ${where} ${operation} with ${key}`,
    `because  ${[code, ...named].filter(Boolean).join(', ')}: ${message}`,
  ]
}

function document(
  { caller, key }: ExplainOptions,
  { operation, grant, answer }: Explanation,
): object {
  const asked = { caller, key, operation, grant: grant ?? null }
  if (answer.verdict === 'refuse') {
    const { code, message, details } = answer.error
    return { ...asked, verdict: 'refuse', code, message, ...details }
  }
  const { expiresAt, ...signed } = answer
  return { ...asked, ...signed, expiresAt: expiresAt === undefined ? null : instant(expiresAt) }
}
