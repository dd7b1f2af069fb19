/** `CHANCERY_CRASH=full` for the counts that DESIGN promises; a subset otherwise. */
export const isFull = process.env['CHANCERY_CRASH'] === 'full'

export const scale = isFull
  ? {
      serveKills: 20,
      revokes: 10_000,
      revokesPerStore: 2_000,
      rotateRounds: 5,
      publishRounds: 200,
      importRounds: 200,
      registryKills: 100,
      revokeRounds: 200,
      revokeCommands: 200,
      histories: 20_000,
      switchRounds: 200,
      rotations: 10,
      rotationSignatures: 100_000,
      jobProcesses: 8,
      jobConnections: 8,
      jobRounds: 50,
      rotateProcesses: 64,
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
      rotations: 1,
      rotationSignatures: 500,
      jobProcesses: 2,
      jobConnections: 3,
      jobRounds: 10,
      rotateProcesses: 6,
    }

/** How many rounds each home is for: one with thousands of keys makes each command read them all. */
export function batches(rounds: number): readonly number[] {
  const whole = Array.from({ length: Math.floor(rounds / roundsAtOnce) }, () => roundsAtOnce)
  const rest = rounds % roundsAtOnce
  return rest > 0 ? [...whole, rest] : whole
}

const roundsAtOnce = 5

/** A process of a crash waits for disks and clocks most of its life: of a full run, some at once. */
const lanes = isFull ? 3 : 1

/** Works on one after the other in each lane, and fails with the first that does. */
export async function inLanes<T>(all: readonly T[], work: (one: T) => Promise<void>) {
  const waiting = all.values()
  const lane = async () => {
    for (const one of waiting) await work(one)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** One round of some kills twice: at a point, and then the next run at the next point. */
export function killsTwice(round: number): boolean {
  return round % roundsAtOnce === 1
}
