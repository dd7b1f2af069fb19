import { defineConfig } from 'vitest/config'

/** Processes that keep every core busy for minutes: mistakes on purpose, and requests by chance. */
export default defineConfig({
  test: {
    include: ['test/fuzz/**/*.fuzz.ts'],
    fileParallelism: false,
    testTimeout: 900_000,
  },
})
