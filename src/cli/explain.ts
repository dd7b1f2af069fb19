import { ServiceError } from '../errors.ts'
import { decodeUtf8, encodeBytes } from '../lib/bytes.ts'
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
  readonly message?: string
  readonly digest?: string
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
async function readBody(options: ExplainOptions): Promise<object> {
  const { claims, signingInput, message, digest } = options
  const named = [claims, signingInput, message, digest].filter((file) => file !== undefined)
  if (named.length !== 1) throw new ServiceError('usage', oneOf)
  if (claims !== undefined) return { claims: parseJson(decodeUtf8(await readInput(claims))) }
  if (message !== undefined) return { message: encodeBytes(await readInput(message), 'base64') }
  const text = decodeUtf8(await readInput(signingInput ?? digest ?? '')).trim()
  return signingInput === undefined ? { digest: text } : { signingInput: text }
}

const oneOf = 'Name one of --claims, --signing-input, --message and --digest'

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
      ...(header === '' ? [] : [`header   ${header}`, `payload  ${payload}`]),
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
  const { expiresAt, header, payload, verdict, version } = answer
  const jwt = header === '' ? {} : { header, payload }
  const signed = { verdict, version, ...jwt }
  return { ...asked, ...signed, expiresAt: expiresAt === undefined ? null : instant(expiresAt) }
}
