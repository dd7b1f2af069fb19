import type { Edit } from './edit.ts'

/** Mistakes in how the store keeps jobs apart that want to do the same thing. */
export const leaseMistakes = {
  'everybody is given the lease': [
    {
      file: 'src/store/lease.ts',
      from: 'if (row && row.expires_at > now && mayLive(row, holder)) return undefined',
      to: '',
    },
  ],
} satisfies Record<string, readonly Edit[]>
