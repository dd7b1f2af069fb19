import { defineConfig } from 'vitest/config'

/** Real processes that are killed: minutes, not seconds, and one file after the other. */
export default defineConfig({
  test: {
    include: ['test/crash/**/*.crash.ts'],
    globalSetup: 'test/crash/bundle.ts',
    fileParallelism: false,
    testTimeout: 7_200_000,
    hookTimeout: 120_000,
  },
})
