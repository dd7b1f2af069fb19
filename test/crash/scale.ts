/** `CHANCERY_CRASH=full` for the counts that DESIGN promises; a subset otherwise. */
export const isFull = process.env['CHANCERY_CRASH'] === 'full'

export const scale = isFull
  ? {
      serveKills: 20,
      revokes: 10_000,
      revokesPerStore: 2_000,
      rotateRounds: 5,
      publishRounds: 100,
      importRounds: 100,
      registryKills: 100,
      revokeRounds: 20,
      revokeCommands: 200,
      histories: 20_000,
      switchRounds: 200,
    }
  : {
      serveKills: 5,
      revokes: 2_000,
      revokesPerStore: 2_000,
      rotateRounds: 1,
      publishRounds: 1,
      importRounds: 1,
      registryKills: 1,
      revokeRounds: 1,
      revokeCommands: 12,
      histories: 200,
      switchRounds: 1,
    }
