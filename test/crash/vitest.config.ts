import { defineConfig } from 'vitest/config'
import { isFull } from './scale.ts'

/** Real processes that are killed: minutes, not seconds. A full run has lanes of its own, one file after the other. */
export default defineConfig({
  test: {
    include: ['test/crash/**/*.crash.ts'],
    globalSetup: 'test/crash/bundle.ts',
    fileParallelism: !isFull,
    maxWorkers: 2,
    testTimeout: 7_200_000,
    hookTimeout: 600_000,
  },
})
