import type { Edit } from './edit.ts'

/** Mistakes for which a job goes on with a clock that is wrong. */
export const clockMistakes = {
  'a wrong clock refuses nothing': [
    { file: 'src/lib/clock-watch.ts', from: 'if (wrong) throw clockWrong(wrong)', to: '' },
  ],
  'the Date of a registry is not read': [
    { file: 'src/registry/app-key-answer.ts', from: 'answered?.(response.headers)', to: '' },
  ],
} satisfies Record<string, readonly Edit[]>

/** The same, of a clock that a vault contradicts. */
export const vaultClockMistakes = {
  'the Date of a vault is not read': [
    {
      file: 'providers/aws-kms/client.ts',
      from: 'if (surroundings.timing) watchClock(sdk, surroundings.timing)',
      to: '',
    },
  ],
  'a vault is not asked before a switch': [
    {
      file: 'src/rotation/tick.ts',
      from: 'await deps.hearVaultOf(step.version, signal)',
      to: '',
    },
  ],
} satisfies Record<string, readonly Edit[]>
