import { die } from './dying.ts'
import type { Edit } from './edit.ts'
import { publishDies } from './registry-seeds.ts'
import { rotateDies } from './seeds.ts'

/** What a job says before it falls asleep. */
export const asleep = 'asleep'

/** As `kill -STOP` from outside, or a host that is frozen: woken, it goes on as if no time had passed. */
const sleeps = `{ const { writeSync } = await import('node:fs'); writeSync(2, '${asleep}\\n'); process.kill(process.pid, 'SIGSTOP') }`

/** Outside of transactions, in which a sleeper keeps everybody from writing. */
const points: Readonly<Record<string, readonly Edit[]>> = {
  'after the intent': rotateDies['after the intent'],
  'while the vault writes the key': rotateDies['while the vault writes the key'],
  'after the vault made the key': rotateDies['after the vault made the key'],
  'after its proof': rotateDies['after its proof'],
  'before the registry is looked at': publishDies['before the registry is looked at'],
  'after the publication’s intent': publishDies['after the publication’s intent'],
  'after the reply': publishDies['after the reply'],
  'after the read-back': publishDies['after the read-back'],
}

/** The sleep counts for the deadline of the call it falls into: without this a slow machine lets that pass first. */
const patient: Edit = {
  file: 'src/lib/deadline.ts',
  from: 'const timer = setTimeout(expire, timeoutMs)',
  to: 'const timer = setTimeout(expire, 100 * timeoutMs)',
}

/** Points at which `rotate` may fall asleep with the lease, and wake when another has taken over. */
export const rotateSleeps: Readonly<Record<string, readonly Edit[]>> = Object.fromEntries(
  Object.entries(points).map(([point, edits]) => [
    `asleep ${point}`,
    [...edits.map((edit) => ({ ...edit, to: edit.to.replace(die, sleeps) })), patient],
  ]),
)

/** Mistakes in how the store keeps two jobs apart. */
export const fenceMistakes = {
  // The state that a version had is the second fence, without which the first is all there is.
  'neither the lease nor the state is compared': [
    {
      file: 'src/store/lease.ts',
      from: `.where('holder', '=', holder) .where('fence', '=', fence)`,
      to: '',
    },
    {
      file: 'src/store/versions.ts',
      from: `.where('n', '=', version.n) .where('state', '=', version.state)`,
      to: `.where('n', '=', version.n)`,
    },
  ],
} satisfies Record<string, readonly Edit[]>
