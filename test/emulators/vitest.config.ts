import { defineConfig } from 'vitest/config'

/** Other people's emulators of vaults, as servers of their own; CI has them, or fails. */
export default defineConfig({
  test: {
    include: ['test/emulators/**/*.emulator.ts'],
    globalSetup: 'test/emulators/setup.ts',
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 300_000,
  },
})
