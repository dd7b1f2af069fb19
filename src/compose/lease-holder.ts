import { readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { LeaseHolder } from '../store/lease.ts'

/** This process, as the store and other jobs see it. */
export function leaseHolder(id: string): LeaseHolder {
  return { id, pid: process.pid, place: placeOfPids(), isAlive }
}

/** https://man7.org/linux/man-pages/man7/pid_namespaces.7.html: the link names the namespace. */
function placeOfPids(): string | undefined {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return undefined // no Linux, or no /proc
  }
}

/** https://nodejs.org/api/process.html#processkillpid-signal: signal 0 only asks. */
function isAlive(pid: number): boolean {
  // Where nobody else can have our pid, a holder with it was an earlier process.
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
