import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { authenticationFailures } from '../src/auth/caller.ts'
import { vaultRules } from '../src/compose/vaults.ts'
import { loadConfig } from '../src/config/load.ts'
import { problemCodes } from '../src/errors.ts'
import { conditionMetrics } from '../src/ops/condition-metrics.ts'
import { metrics } from '../src/ops/metrics.ts'
import { goodConfig, loadText } from './support/config-text.ts'
import {
  readme,
  readmeBlocks,
  readmePages,
  type ReadmeShell,
  readmeShell,
} from './support/readme-shell.ts'

/** Every command of the README but those of the pages below, in its order: they tell one story in one directory. */
const commands = readmeBlocks('sh').flatMap((block) => block.trim().split('\n'))

describe('the commands of the README', () => {
  let shell: ReadmeShell

  beforeAll(async () => {
    shell = await readmeShell()
  })
  afterAll(() => shell[Symbol.asyncDispose]())

  test('work as they stand there, one after the other', async () => {
    expect(commands.length).toBeGreaterThan(20)
    for (const command of commands) {
      const result = await shell.perform(command)
      expect.soft(result, command).toMatchObject({ exitCode: 0 })
      if (command.includes(' init ')) shell.usePorts()
    }
  })

  test('of pages with a story of their own are run by tests of their own', () => {
    const pages = [...readmePages].filter(([, page]) => readmeBlocks('bash', page).length > 0)
    expect(pages.map(([title]) => title)).toEqual([
      'For the security team', // fakes/move.test.ts
      'A Contentful app', // client/readme.test.ts
      'Keys that somebody else makes', // the same
    ])
  })
})

test('the configuration in the README is a good one', () => {
  const [text = ''] = readmeBlocks('yaml')
  const directory = mkdtempSync(join(tmpdir(), 'chancery-readme-'))
  const file = join(directory, 'chancery.yaml')
  writeFileSync(file, text)
  const { keys, grants } = loadConfig(file, vaultRules)
  rmSync(directory, { recursive: true })
  expect([...keys.keys()]).toEqual(['reports', 'blog', 'app', 'github-bot', 'partner', 'documents'])
  expect(grants).toHaveLength(3)
})

describe('the callers with workload identity in the README', () => {
  const [, ...pages] = readmeBlocks('yaml')

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
    clocks: () => [],
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
