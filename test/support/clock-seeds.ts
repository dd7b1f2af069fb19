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
