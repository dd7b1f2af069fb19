import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { loadAdministration } from '../../providers/administration.ts'
import { loadGenerator } from '../../providers/generators.ts'
import { loadVault, vaultConfigs } from '../../providers/index.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The modules of ours that Node loads for a line of code, as paths from the root. */
function modulesLoadedBy(code: string): readonly string[] {
  const script = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({
      load(url, context, next) {
        if (url.startsWith('file:') && !url.includes('/node_modules/')) loaded.push(url)
        return next(url, context)
      },
    })
    ${code}
    console.log(JSON.stringify(loaded))`
  const flags = ['--input-type=module', '--eval', script]
  const output = execFileSync(process.execPath, flags, { cwd: root, encoding: 'utf8' })
  const urls: readonly string[] = JSON.parse(output)
  return urls.map((url) => fileURLToPath(url).slice(root.length))
}

const cannotBeInServe = /generator|importer|disabler|administration|rekey|init\.ts$|seal\.ts$/

describe('what serve can reach', () => {
  test('reading a configuration loads schemas and no vault', () => {
    const loaded = modulesLoadedBy("await import('./providers/index.ts')")
    expect(loaded).toEqual(['providers/index.ts', 'providers/local/config.ts'])
  })

  test('a loaded vault brings no code that makes, seals or moves keys', () => {
    const loaded = modulesLoadedBy(
      "const { loadVault } = await import('./providers/index.ts'); await loadVault.local()",
    )
    expect(loaded).toContain('providers/local/signer.ts')
    expect(loaded.filter((path) => cannotBeInServe.test(path))).toEqual([])
  })

  test('the same look finds the generator where it is', () => {
    const loaded = modulesLoadedBy(
      "const { loadGenerator } = await import('./providers/generators.ts'); await loadGenerator.local()",
    )
    expect(loaded.filter((path) => cannotBeInServe.test(path))).toEqual([
      'providers/generators.ts',
      'providers/local/generator.ts',
      'providers/local/seal.ts',
    ])
  })
})

test('every provider that can be configured can be loaded', async () => {
  const names = vaultConfigs.map(({ shape }) => shape.provider.value)
  expect(names).toEqual(['local'])
  expect(Object.keys(loadVault)).toEqual(names)
  expect((await loadVault.local()).name).toBe('openLocalVault')
  expect((await loadGenerator.local()).name).toBe('localGenerator')
  expect(Object.keys(await loadAdministration.local())).toEqual(['initLocalVault', 'rekey'])
})
