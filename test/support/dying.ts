import type { Edit } from './edit.ts'

/** As `kill -9` from outside: nothing is cleaned up. */
export const die = `process.kill(process.pid, 'SIGKILL');`

/** Before this text is reached. */
export const diesAt = (file: string, from: string): readonly Edit[] => [
  { file, from, to: `${die} ${from}` },
]

/** After it: the text is a whole statement. */
export const diesAfter = (file: string, from: string): readonly Edit[] => [
  { file, from, to: `${from}; ${die}` },
]
