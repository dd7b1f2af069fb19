import { readFileSync } from 'node:fs'

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: USER_HZ is 100 on every Linux. */
const tickUs = 10_000

const fieldsBehindName = { utime: 11, stime: 12, cutime: 13, cstime: 14 } as const

/** User and system time of all threads of a process so far. */
export function cpuUs(pid: number): number {
  const fields = statFields(pid)
  return (fields(fieldsBehindName.utime) + fields(fieldsBehindName.stime)) * tickUs
}

/** The same of the children of this process that have ended. */
export function endedChildrenCpuUs(): number {
  const fields = statFields(process.pid)
  return (fields(fieldsBehindName.cutime) + fields(fieldsBehindName.cstime)) * tickUs
}

export function rssMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024
}

/** The second field is the program's name in parentheses, and may itself hold anything. */
function statFields(pid: number): (index: number) => number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (index) => Number(fields[index])
}
