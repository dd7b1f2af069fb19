import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'))

const versions = z.record(z.string(), z.string())
const manifest = z.object({ dependencies: versions, devDependencies: versions })
const { dependencies, devDependencies } = manifest.parse(read('package.json'))
const pins = Object.entries({ ...dependencies, ...devDependencies })

test('every dependency is pinned: one version, no range, no tag, no address', () => {
  expect(pins.length).toBeGreaterThan(15)
  expect(pins.filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))).toEqual([])
})

test.each(pins)('%s is installed as it is pinned, %s', (name, version) => {
  const installed = z
    .object({ version: z.string() })
    .parse(read(`node_modules/${name}/package.json`))
  expect(installed.version).toBe(version)
})

test('the lockfile says the same, and where each package came from is checked by its hash', () => {
  const entry = z.looseObject({ version: z.string().optional(), integrity: z.string().optional() })
  const lock = z.object({ packages: z.record(z.string(), entry) }).parse(read('package-lock.json'))
  expect(lock.packages['']).toMatchObject({ dependencies, devDependencies })
  const locked = pins.map(([name]) => [name, lock.packages[`node_modules/${name}`]?.version])
  expect(locked).toEqual(pins)
  const unhashed = Object.entries(lock.packages).filter(
    ([path, { integrity }]) => path !== '' && !integrity,
  )
  expect(unhashed.map(([path]) => path)).toEqual([])
})

const readme = join(root, 'README.md')

test.skipIf(!existsSync(readme))(
  'README names every dependency with its reason, and no other',
  () => {
    const [, section = ''] = readFileSync(readme, 'utf8').split('\n## Dependencies\n')
    const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `([^`]+)` \| (.+) \|$/gm)]
    const reasons = rows.map(([, name = '', reason = '']) => ({
      name,
      isDevelopment: reason.endsWith('(development)'),
    }))
    expect(reasons.toSorted(byName)).toEqual(
      [
        ...Object.keys(dependencies).map((name) => ({ name, isDevelopment: false })),
        ...Object.keys(devDependencies).map((name) => ({ name, isDevelopment: true })),
      ].toSorted(byName),
    )
  },
)

function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name.localeCompare(other.name)
}
