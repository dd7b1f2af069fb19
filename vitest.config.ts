import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**', 'test/crash/**', 'test/emulators/**'],
    // Half of the tests wait for processes of their own: Vitest's default leaves a core idle.
    maxWorkers: availableParallelism(),
    // For what hangs, and for nothing else: on a busy machine a second can take ten. No test has less.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
})
