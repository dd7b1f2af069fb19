import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { loadAdministration } from '../../providers/administration.ts'
import { loadDisabler } from '../../providers/disablers.ts'
import { loadGenerator } from '../../providers/generators.ts'
import { loadImporter } from '../../providers/importers.ts'
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

const cannotBeInServe =
  /generator|importer|disabler|administration|intents|rekey|(?:init|seal|keep|wrap|new-key)\.ts$/

describe('what serve can reach', () => {
  test('reading a configuration loads schemas and no vault', () => {
    const loaded = modulesLoadedBy("await import('./providers/index.ts')")
    expect(loaded.filter((path) => path.startsWith('providers/')).toSorted()).toEqual([
      'providers/aws-kms/config.ts',
      'providers/azure-key-vault/config.ts',
      'providers/index.ts',
      'providers/local/config.ts',
    ])
    expect(
      loaded.filter((path) => /^src\/(?!lib\/|errors|signing\/algorithms)/.test(path)),
    ).toEqual([])
  })

  test.each(['local', 'aws-kms', 'azure-key-vault'])(
    'a loaded vault of %s brings no code that makes, seals or moves keys',
    (provider) => {
      const loaded = modulesLoadedBy(
        `const { loadVault } = await import('./providers/index.ts'); await loadVault['${provider}']()`,
      )
      expect(loaded).toContain(`providers/${provider}/signer.ts`)
      expect(loaded.filter((path) => cannotBeInServe.test(path))).toEqual([])
    },
  )

  test.each([
    ['generator', 'local', ['generator.ts', 'keep.ts', 'seal.ts']],
    ['generator', 'aws-kms', ['generator.ts', 'intents.ts', 'new-key.ts']],
    ['importer', 'local', ['importer.ts', 'keep.ts', 'seal.ts']],
    ['importer', 'aws-kms', ['importer.ts', 'intents.ts', 'new-key.ts', 'wrap.ts']],
    ['generator', 'azure-key-vault', ['generator.ts', 'intents.ts', 'new-key.ts']],
    ['importer', 'azure-key-vault', ['importer.ts', 'intents.ts', 'new-key.ts']],
    ['disabler', 'azure-key-vault', ['disabler.ts']],
    ['disabler', 'local', ['disabler.ts']],
    ['disabler', 'aws-kms', ['disabler.ts']],
  ] as const)('the same look finds the %s of %s where it is', (part, provider, files) => {
    const load = `load${part[0]?.toUpperCase()}${part.slice(1)}`
    const loaded = modulesLoadedBy(
      `const { ${load} } = await import('./providers/${part}s.ts'); await ${load}['${provider}']()`,
    )
    expect(loaded.filter((path) => cannotBeInServe.test(path)).toSorted()).toEqual(
      [`providers/${part}s.ts`, ...files.map((file) => `providers/${provider}/${file}`)].toSorted(),
    )
  })
})

test('every provider that can be configured can be loaded', async () => {
  const names = vaultConfigs.map(({ shape }) => shape.provider.value)
  expect(names).toEqual(['local', 'aws-kms', 'azure-key-vault'])
  expect(Object.keys(loadVault)).toEqual(names)
  for (const load of [loadGenerator, loadImporter, loadDisabler]) {
    expect(Object.keys(load)).toEqual(names)
  }
  expect((await loadVault['aws-kms']()).name).toBe('openAwsVault')
  expect((await loadGenerator['aws-kms']()).name).toBe('awsGenerator')
  expect((await loadVault['azure-key-vault']()).name).toBe('openAzureVault')
  expect((await loadGenerator['azure-key-vault']()).name).toBe('azureGenerator')
  expect((await loadImporter['azure-key-vault']()).name).toBe('azureImporter')
  expect((await loadDisabler['azure-key-vault']()).name).toBe('azureDisabler')
  expect((await loadVault.local()).name).toBe('openLocalVault')
  expect((await loadGenerator.local()).name).toBe('localGenerator')
  expect((await loadImporter['aws-kms']()).name).toBe('awsImporter')
  expect((await loadDisabler['aws-kms']()).name).toBe('awsDisabler')
  expect((await loadImporter.local()).name).toBe('localImporter')
  expect((await loadDisabler.local()).name).toBe('localDisabler')
  expect(Object.keys(await loadAdministration.local())).toEqual(['initLocalVault', 'rekey'])
})
