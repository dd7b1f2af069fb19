import { defineConfig } from 'vitest/config'

/** Needs a folder of files that are not ours, so it is no part of `npm test`. */
export default defineConfig({
  test: {
    include: ['test/wycheproof/**/*.vectors.ts'],
    fileParallelism: false,
    testTimeout: 600_000,
  },
})
