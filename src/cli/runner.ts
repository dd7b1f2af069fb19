import type { Command } from 'commander'
import type { Context } from './context.ts'

/** A command's work; it returns its exit code when that is not 0. */
export type Run = (context: Context) => Promise<number | void>

/** @param fileOf which configuration, for an option that may be missing. */
export type Runner = (
  command: Command,
  work: Run,
  fileOf?: (option: string | undefined) => string,
) => Promise<void>
