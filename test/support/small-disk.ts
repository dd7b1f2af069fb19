import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A file system in memory, small enough to be filled. Disposal takes it away again. */
export interface SmallDisk extends Disposable {
  readonly directory: string
  readonly fill: () => void
  readonly empty: () => void
  readonly makeReadOnly: () => void
}

/** @returns why there is none, where a process may not mount: this is for root on a Linux. */
export function smallDisk(directory: string): SmallDisk | string {
  mkdirSync(directory, { recursive: true })
  try {
    mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory)
  } catch (error) {
    return `no small disk: ${String(error)}`
  }
  const filler = join(directory, 'filler')
  return {
    directory,
    fill: () => writeUntilFull(filler),
    empty: () => rmSync(filler),
    makeReadOnly: () => mount('-o', 'remount,ro', directory),
    [Symbol.dispose]: () => execFileSync('/bin/umount', ['--lazy', directory], { stdio: 'pipe' }),
  }
}

function mount(...args: readonly string[]): void {
  execFileSync('/bin/mount', args, { stdio: 'pipe' })
}

function writeUntilFull(file: string): void {
  try {
    writeFileSync(file, new Uint8Array(2 * 1024 * 1024))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return
    throw error
  }
  throw new Error('the disk does not get full')
}
