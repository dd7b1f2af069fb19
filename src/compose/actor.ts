import { hostname, userInfo } from 'node:os'
import { actorName } from '../config/environment.ts'

/** Who runs a command, for the record of it. */
export function currentActor(): string {
  return actorName(userInfo().username, hostname())
}
