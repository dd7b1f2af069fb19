import type { ErrorCode, ServiceError } from '../errors.ts'
import { instant } from '../lib/clock.ts'
import type { Revocation, Revoked } from '../service/revoke.ts'
import type { Part } from '../service/second-line.ts'
import type { Context } from './context.ts'
import { exitCodeOf, exitCodes, problemOf } from './failure.ts'
import { keyOf } from './rotation-words.ts'

/** @returns `partial` when registry or vault have not done their part: the job goes on with it. */
export async function revoke(
  { host, output, configFile }: Context,
  revocation: Revocation,
): Promise<number> {
  const revoked = await host.revoke(configFile, revocation)
  output.result(revokedWords(revoked), revokedDocument(revoked))
  return revokedExitCode(revoked)
}

export function revokedDocument(revoked: Revoked): object {
  const { version, before, promoted, promotionError, withdrawal, disabling } = revoked
  return {
    version,
    before,
    nothingAfter: instant(revoked.nothingAfter),
    promoted: promoted ?? null,
    promotionError: promotionError ? failureDocument(promotionError, problemOf) : null,
    withdrawal: documentOf(withdrawal, asItSays),
    disabling: documentOf(disabling, problemOf),
  }
}

/** @param by whose word it was, where no command said so: `, as …`. */
export function revokedWords(revoked: Revoked, by = ''): readonly string[] {
  const { version, before, nothingAfter, withdrawal, disabling } = revoked
  const toDo = new Set([withdrawal, disabling].flatMap((part) => nextOf(part, revoked)))
  const already = before === 'revoked' ? ' already' : ''
  return [
    `${version} is revoked${already}${by}: no signature by it can leave after ${instant(nothingAfter)}.`,
    ...(before === 'active' ? [nextWords(revoked)] : []),
    ...partWords(withdrawal, 'withdrawn from its registry', asItSays),
    ...partWords(disabling, 'disabled in its vault', problemOf),
    ...toDo,
    ...faultsOf(revoked),
  ]
}

function nextWords({ version, promoted, signing, promotionError, isConfigured }: Revoked): string {
  if (promoted) return `${promoted} signs now.`
  if (signing) return `${signing} signs as before.`
  const key = keyOf(version)
  const toDo = isConfigured ? `: run \`chancery rotate ${key}\` when it should sign again` : ''
  const reason = promotionError && problemOf(promotionError).message
  const why = reason ? ` (which version may sign instead cannot be read: ${reason})` : ''
  return `${key} has no version that signs now${why}${toDo}.`
}

type Told = { readonly code: ErrorCode; readonly message: string }

/** A registry's failures say themselves what to do, and a deadline that it has missed is no fault of a vault's. */
function asItSays({ code, message }: ServiceError): Told {
  return { code, message }
}

function partWords(
  part: Part,
  done: string,
  told: (error: ServiceError) => Told,
): readonly string[] {
  switch (part.verdict) {
    case 'none':
      return []
    case 'done':
      return [`It is ${done}.`]
    case 'task':
      return [
        'Verifiers still trust it until you have done this:',
        ...part.task.steps.map(indented),
      ]
    case 'pending':
      return [`It is not yet ${done}: ${told(part.error).message}.`]
  }
}

/** What becomes of a part that is not done. */
function nextOf(part: Part, { version, isConfigured }: Revoked): readonly string[] {
  if (part.verdict !== 'pending') return []
  if (!isConfigured) {
    const key = keyOf(version)
    return [
      `No command tries it again, for the configuration has no key ${key}: \`chancery tasks\` says what only you can do.`,
    ]
  }
  if (part.error.details.issues) {
    return [
      'Once the configuration is put right, `chancery rotate` goes on, and `chancery tasks` says what only you can do.',
    ]
  }
  return part.error.code === 'registry_refused'
    ? ['`chancery tasks` says what only you can do.']
    : ['`chancery rotate` tries it again, each time that it runs.']
}

/** Of a configuration, or of a catalogue: each once, whatever it has kept from being done. */
function faultsOf({ withdrawal, disabling, promotionError }: Revoked): readonly string[] {
  const errors = [...errorsOf([withdrawal, disabling]), ...(promotionError ? [promotionError] : [])]
  const faults = errors.flatMap(({ details }) => details.issues ?? [])
  const lines = new Set(faults.map(({ path, message }) => indented(`${path}: ${message}`)))
  return lines.size > 0 ? ['What is wrong:', ...lines] : []
}

function errorsOf(parts: readonly Part[]): readonly ServiceError[] {
  return parts.flatMap((part) => (part.verdict === 'pending' ? [part.error] : []))
}

function indented(step: string): string {
  return `  ${step}`
}

function documentOf(part: Part, told: (error: ServiceError) => Told): object {
  if (part.verdict === 'task') return { verdict: 'task', ...part.task }
  if (part.verdict !== 'pending') return part
  return { verdict: 'pending', ...failureDocument(part.error, told) }
}

function failureDocument(error: ServiceError, told: (error: ServiceError) => Told): object {
  const { issues } = error.details
  return { ...told(error), ...(issues && { issues }) }
}

/** A bug stays one; everything else has been recorded, and is tried again. */
export function revokedExitCode({ withdrawal, disabling, promotionError }: Revoked): number {
  const isBug = (error: ServiceError) => exitCodeOf(error) === exitCodes.bug
  const errors = errorsOf([withdrawal, disabling])
  if (errors.some(isBug) || (promotionError && isBug(promotionError))) return exitCodes.bug
  return errors.length > 0 ? exitCodes.partial : exitCodes.done
}
