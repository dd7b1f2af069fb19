#!/usr/bin/env node
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

/** What `engines` says; older ones lack `node:sqlite` and `process.execve`. */
const nodeVersionMin = [24, 15] as const

/**
 * https://nodejs.org/api/cli.html: no `__proto__` accessor, no inspector by signal, no environment in
 * diagnostic reports, bounded headers; and no warning that `node:sqlite` is young, which it says of itself.
 */
const nodeFlags = [
  '--disable-proto=delete',
  '--disable-sigusr1',
  '--report-exclude-env',
  '--max-http-header-size=8192',
  '--disable-warning=ExperimentalWarning',
] as const

const marker = 'CHANCERY_RESTARTED'

/**
 * Compiled code is kept beside the code, since whoever may write the one may write the other: a folder
 * that an environment names, or one that users share, could hand this process foreign code. Where it
 * cannot be written, nothing is kept. https://nodejs.org/api/module.html#module-compile-cache
 */
const compileCache = fileURLToPath(new URL('.compile-cache', import.meta.url))

/**
 * What would have a process sign elsewhere, trust anybody, or run foreign code: refused by name, since
 * whoever set it meant something. https://nodejs.org/api/cli.html#environment-variables
 */
const refusedEnvironment = [
  'NODE_OPTIONS',
  'NODE_TLS_REJECT_UNAUTHORIZED',
  'SSLKEYLOGFILE',
  'NODE_USE_ENV_PROXY', // a registry's token would go wherever HTTP_PROXY says
] as const

/** These settings and flags count from the start of a process only: start once more. */
function restart(): void {
  if (process.env[marker] === String(process.pid)) return
  const [, script = '', ...args] = process.argv
  process.removeAllListeners('warning') // of `execve` itself, which replaces this process
  process.execve?.(
    process.execPath,
    [process.execPath, ...process.execArgv, ...nodeFlags, script, ...args],
    {
      ...process.env,
      UV_THREADPOOL_SIZE: String(availableParallelism()),
      NODE_COMPILE_CACHE: compileCache,
      [marker]: String(process.pid),
    },
  )
}

function isOldNode(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [majorMin, minorMin] = nodeVersionMin
  return major < majorMin || (major === majorMin && minor < minorMin)
}

const refused = refusedEnvironment.find((name) => (process.env[name] ?? '') !== '')
if (isOldNode()) {
  process.stderr.write(
    `chancery needs Node ${nodeVersionMin.join('.')} or newer; this is ${process.versions.node}\n`,
  )
  process.exitCode = 2
} else if (refused) {
  process.stderr.write(`chancery does not run with ${refused} in its environment: unset it\n`)
  process.exitCode = 2
} else {
  restart()
  // Everything this process writes is for its own user.
  process.umask(0o077)
  const [{ runProgram }, { host }] = await Promise.all([
    import('./cli/program.ts'),
    import('./compose/host.ts'),
  ])
  process.exitCode = await runProgram(host, process.argv.slice(2))
}
