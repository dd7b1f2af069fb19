import { systemClock } from '../../src/lib/clock.ts'
import { every } from '../../src/lib/deadline.ts'
import { type Home, inStore } from './home.ts'

const beatEveryMs = 2_000

/**
 * Another machine’s process, which is alive and proves nothing, until it is disposed of: `serve` alone may be
 * quicker than a command. It goes on saying that it serves, since whoever is silent for 30 s is removed by `serve`.
 */
export function slowProcess(home: Home): Disposable {
  beat(home)
  const beating = every(beatEveryMs, async () => beat(home))
  return {
    [Symbol.dispose]() {
      beating[Symbol.dispose]()
      inStore(home, (database) => database.exec(`delete from processes where id = 'slow'`))
    },
  }
}

function beat(home: Home): void {
  inStore(home, (database) =>
    database
      .prepare(
        `insert into processes (id, host, pid, beat_at) values ('slow', 'elsewhere', 7, ?)
          on conflict (id) do update set beat_at = excluded.beat_at`,
      )
      .run(systemClock.now() + 3_600_000),
  )
}
