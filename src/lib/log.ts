import { destination, pino } from 'pino'
import { ServiceError } from '../errors.ts'
import { instant, systemClock } from './clock.ts'

/** JSON lines. Fields are an allow-list of ids, names, codes and numbers: never contents. */
export type LogFields = { readonly [name: string]: string | number | boolean | undefined }

export interface Logger {
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  /** The causes are for the operator only: this is where they end. */
  error(event: string, error: unknown, fields?: LogFields): void
  /** Everything logged so far is written when this returns. */
  flush(): void
}

/** Lines are written some at a time, and at the latest so many milliseconds after they were logged. */
const buffering = { minLength: 4_096, periodicFlush: 100, maxLength: 4_194_304 } as const

function attemptFlush(stderr: { flushSync(): void }): void {
  try {
    stderr.flushSync()
  } catch {
    // As above.
  }
}

/** Lines go to stderr: stdout belongs to what a command prints. */
export function stderrLogger(): Logger {
  const stderr = destination({ fd: 2, sync: false, ...buffering })
  // A log that nobody can write to, a full disk or a reader that left, is no reason to stop signing.
  stderr.on('error', () => {})
  return logger(stderr, () => attemptFlush(stderr))
}

export function logger(to: { write(line: string): void }, flush: () => void = () => {}): Logger {
  const timestamp = () => `,"at":"${instant(systemClock.now())}"`
  const formatters = { level: (level: string) => ({ level }) }
  const log = pino({ base: null, messageKey: 'event', timestamp, formatters }, to)
  return {
    info: (event, fields) => log.info(fields ?? {}, event),
    warn: (event, fields) => log.warn(fields ?? {}, event),
    error: (event, error, fields) => log.error({ ...fields, ...described(error) }, event),
    flush,
  }
}

export const silentLogger: Logger = { info() {}, warn() {}, error() {}, flush() {} }

const causesMax = 4

/** Of one cause, and of a stack. */
const charactersMax = 2_000

function described(error: unknown): LogFields {
  const causes: string[] = []
  for (let at = error; at instanceof Error && causes.length < causesMax; at = at.cause) {
    causes.push(`${at.name}: ${at.message}`.slice(0, charactersMax))
  }
  const known = error instanceof ServiceError ? { code: error.code } : {}
  const stack = error instanceof Error ? error.stack?.slice(0, charactersMax) : undefined
  return {
    ...known,
    error: shown(causes.join(' <- ')) || 'not an Error',
    stack: stack && shown(stack),
  }
}

/** What JSON leaves as it is, and a terminal or another reader of lines does not. */
function shown(text: string): string {
  return text.replaceAll(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
