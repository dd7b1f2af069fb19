import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { authenticationFailures } from '../src/auth/caller.ts'
import { vaultRules } from '../src/compose/vaults.ts'
import { loadConfig } from '../src/config/load.ts'
import { problemCodes } from '../src/errors.ts'
import { conditionMetrics } from '../src/ops/condition-metrics.ts'
import { metrics } from '../src/ops/metrics.ts'
import { goodConfig, loadText } from './support/config-text.ts'

const root = resolve(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

function blocks(language: string): readonly string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm')
  return [...readme.matchAll(fence)].map(([, text = '']) => text)
}

/** Every command of the README, in its order: they tell one story in one directory. */
const commands = blocks('sh').flatMap((block) => block.trim().split('\n'))

/** The keys of its page about importing, which its commands then import. */
const importedKeys = blocks('text').find((block) => block.includes('source: imported')) ?? ''

describe('the commands of the README', () => {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-readme-'))
  const bin = join(directory, 'bin')
  /** Fixed ports would make two runs of this test meet. */
  const ports = new Map<string, number>()
  const serving: ChildProcess[] = []

  beforeAll(async () => {
    mkdirSync(bin)
    const main = join(root, 'src', 'main.ts')
    // `npx chancery …` as an installed package would run it.
    writeFileSync(join(bin, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${main}" "$@"\n`)
    chmodSync(join(bin, 'npx'), 0o755)
    for (const written of ['8480', '8490']) ports.set(written, await freePort())
  })

  afterAll(async () => {
    for (const child of serving) {
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      await exit
    }
    rmSync(directory, { recursive: true, force: true })
  })

  test('work as they stand there, one after the other', { timeout: 600_000 }, async () => {
    expect(commands.length).toBeGreaterThan(20)
    for (const command of commands) {
      const result = await perform(command)
      expect.soft(result, command).toMatchObject({ exitCode: 0 })
      if (command.includes(' init ')) usePorts()
    }
  })

  function start(command: string): ChildProcess {
    const here = command.replace(
      /127\.0\.0\.1:(\d+)/g,
      (_, written: string) => `127.0.0.1:${ports.get(written)}`,
    )
    const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH']}` }
    return spawn('sh', ['-c', `exec ${here}`], {
      cwd: directory,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  async function perform(command: string): Promise<{ readonly exitCode: unknown }> {
    if (!command.endsWith(' serve')) return run(command)
    serving.push(await serve(command))
    return { exitCode: 0 }
  }

  async function run(command: string) {
    const child = start(command)
    const output: Buffer[] = []
    child.stdout?.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr?.on('data', (chunk: Buffer) => output.push(chunk))
    const [exitCode]: unknown[] = await once(child, 'close')
    const text = Buffer.concat(output).toString('utf8')
    return {
      exitCode: command.startsWith('curl') && text.includes('"code"') ? text : exitCode,
      text,
    }
  }

  async function serve(command: string): Promise<ChildProcess> {
    const child = start(command)
    const [line]: unknown[] = await once(child.stdout ?? child, 'data')
    expect(String(line)).toContain('listening')
    return child
  }

  function usePorts(): void {
    const file = join(directory, 'first', 'chancery.yaml')
    const text = readFileSync(file, 'utf8')
    writeFileSync(
      file,
      text
        .replace(':8480', `:${ports.get('8480')}`)
        .replace(':8481', ':0')
        .replace('listen:', 'listen:\n  drainDelay: 1s')
        .replace('keys:\n', importedKeys),
    )
  }
})

test('the configuration in the README is a good one', () => {
  const [text = ''] = blocks('yaml')
  const directory = mkdtempSync(join(tmpdir(), 'chancery-readme-'))
  const file = join(directory, 'chancery.yaml')
  writeFileSync(file, text)
  const { keys, grants } = loadConfig(file, vaultRules)
  rmSync(directory, { recursive: true })
  expect([...keys.keys()]).toEqual(['reports', 'blog', 'app', 'github-bot', 'partner', 'documents'])
  expect(grants).toHaveLength(3)
})

describe('the callers with workload identity in the README', () => {
  const [, ...pages] = blocks('yaml')

  test.each(pages)('are good ones: %#', (page) => {
    const { config } = loadText(goodConfig.replace('callers:\n', page))
    const added = config.callers.filter(({ oidc }) => oidc !== undefined)
    expect(added).toHaveLength(1)
    expect(Object.keys(added[0]?.oidc?.match ?? {})).not.toEqual([])
  })

  test('are of all the platforms, and none is another’s twin', () => {
    const all = pages.map((page) => page.replace('callers:\n', '')).join('')
    const { config } = loadText(goodConfig.replace('callers:\n', `callers:\n${all}`))
    const names = config.callers.flatMap(({ name, oidc }) => (oidc ? [name] : []))
    expect(names).toEqual([
      'blog-pod',
      'deploy',
      'eks-blog',
      'lambda-billing',
      'gce-reports',
      'vm-invoices',
    ])
    expect(config.warnings.filter(({ path }) => path.includes('oidc'))).toEqual([])
  })
})

test('every reason of a 401 is in the README', () => {
  const missing = authenticationFailures.filter((reason) => !readme.includes(`\`${reason}\``))
  expect(missing).toEqual([])
})

test('every metric of ours is in the README, and no other', async () => {
  const { registry } = metrics({
    activeKeys: () => 0,
    usableKeys: () => 0,
    isReady: () => true,
    conditions: () => [],
  })
  const condition = { keys: [], open: [], processes: 0 }
  conditionMetrics(registry, { read: async () => condition, now: () => 0, steps: [] })
  const names = (await registry.getMetricsAsJSON()).map(({ name }) => name)
  const ours = names.filter((name) => name.startsWith('chancery_'))
  const rows = readme.match(/^\| `chancery_\w+/gm) ?? []
  expect(rows.map((row) => row.slice(3)).toSorted()).toEqual(ours.toSorted())
})

test('every problem code is in the README', () => {
  expect(problemCodes.filter((code) => !readme.includes(`\`${code}\``))).toEqual([])
})

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  return address.port
}
