import { systemClock } from '../../src/lib/clock.ts'
import { type Home, inStore } from './home.ts'

/** Another machine’s process, which is alive and proves nothing: `serve` alone may be quicker than a command. */
export function beginSlow(home: Home): void {
  inStore(home, (database) =>
    database
      .prepare(`insert into processes (id, host, pid, beat_at) values ('slow', 'elsewhere', 7, ?)`)
      .run(systemClock.now() + 3_600_000),
  )
}

export function endSlow(home: Home): void {
  inStore(home, (database) => database.exec(`delete from processes where id = 'slow'`))
}
