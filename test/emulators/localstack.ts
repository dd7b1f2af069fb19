import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { deadline, pause } from '../../src/lib/deadline.ts'
import { figure } from '../support/figure.ts'
import { freePort } from '../support/free-port.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
const lock = join(import.meta.dirname, 'localstack.lock')

/** LocalStack Community 4.14.0, on loopback; what is in it is gone with it. */
export interface LocalStack extends AsyncDisposable {
  readonly endpoint: string
}

export type Had = { readonly localStack: LocalStack } | { readonly missing: string }

const readyMsMax = 120_000

/**
 * Installed once for each lock, into a folder that git ignores. Where it cannot be had, the reason; with
 * `CI=true` that is an error, since a registry that is down would otherwise turn a red run green.
 */
export async function localStack(): Promise<Had> {
  try {
    return { localStack: await started(await installed()) }
  } catch (error) {
    const missing = `LocalStack cannot be had: ${error instanceof Error ? error.message : 'no reason'}`
    if (process.env['CI'] === 'true') throw new Error(missing, { cause: error })
    figure(`SKIPPED: ${missing}`)
    return { missing }
  }
}

/** It needs Python 3.13: older ones have no PEP 695. */
async function installed(): Promise<string> {
  const digest = createHash('sha256').update(readFileSync(lock)).digest('hex').slice(0, 16)
  const directory = join(root, '.cache', `localstack-${digest}`)
  const stamp = join(directory, 'installed')
  if (existsSync(stamp)) return directory
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const env = { ...process.env, PYENV_VERSION: process.env['PYENV_VERSION'] ?? '3.13.0' }
  await run('python3.13', ['-m', 'venv', join(directory, 'venv')], { env })
  const pip = ['-m', 'pip', 'install', '-q', '--no-deps', '--require-hashes', '-r', lock]
  await run(join(directory, 'venv', 'bin', 'python'), pip, { env })
  writeFileSync(stamp, '')
  return directory
}

async function started(directory: string): Promise<LocalStack> {
  const port = await freePort()
  const files = join(directory, `root-${port}`)
  const child = spawn(join(directory, 'venv', 'bin', 'python'), ['-m', 'localstack.runtime.main'], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: directory,
      SERVICES: 'kms',
      STRICT_SERVICE_LOADING: '1',
      EAGER_SERVICE_LOADING: '1',
      GATEWAY_LISTEN: `127.0.0.1:${port}`,
      // Its default server listens on every address, whatever it is told.
      GATEWAY_SERVER: 'hypercorn',
      OVERRIDE_IN_DOCKER: '0',
      FILESYSTEM_ROOT: files,
      DNS_ADDRESS: '0',
      DISABLE_EVENTS: '1',
      SKIP_SSL_CERT_DOWNLOAD: '1',
      LS_LOG: 'warning',
    },
  })
  child.stderr.resume()
  const endpoint = `http://127.0.0.1:${port}`
  const stop = async () => {
    await ended(child)
    rmSync(files, { recursive: true, force: true })
  }
  try {
    await ready(endpoint, child)
  } catch (error) {
    await stop()
    throw error
  }
  return { endpoint, [Symbol.asyncDispose]: stop }
}

/** 200 alone says nothing: the service may have failed to load. */
async function ready(endpoint: string, child: ChildProcess): Promise<void> {
  using limit = deadline(readyMsMax)
  while (!limit.signal.aborted && child.exitCode === null) {
    const health = await fetch(`${endpoint}/_localstack/health`).then(
      (answer) => answer.text(),
      () => '',
    )
    if (/"kms": ?"(?:running|available)"/.test(health)) return
    await pause(200)
  }
  throw new Error('it does not say that KMS is running')
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  using late = deadline(20_000)
  late.signal.addEventListener('abort', () => child.kill('SIGKILL'))
  await exit
}
