import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { plainSections } from '../../src/config/schema.ts'
import { figure } from '../support/figure.ts'
import { readHcl, readModule, tablesOf, withTables } from '../support/terraform-documents.ts'
import { rootsIn, terraformFolder } from '../support/terraform.ts'

const modules = rootsIn('modules')
const examples = rootsIn('examples')

describe.each([...modules, ...examples])('%s', (folder) => {
  test('says of every input its type, what it is, and what it refuses and why', async () => {
    const { variable, output } = await readModule(folder)
    expect(Object.keys(variable)).not.toEqual([])
    expect(Object.keys(output)).not.toEqual([])
    const silent = Object.entries(variable).filter(
      ([, [{ type, description, validation }]]) =>
        type === '' || description === '' || validation.length === 0,
    )
    expect(silent.map(([name]) => name)).toEqual([])
    // A remedy follows the complaint, or is all of it.
    const messages = Object.values(variable).flatMap(([{ validation }]) => validation)
    expect(messages.filter(({ error_message }) => error_message.length < 25)).toEqual([])
  })
})

test('every variable there is has a type, a description and a validation', async () => {
  const all = await Promise.all([...modules, ...examples].map(readModule))
  const variables = all.flatMap(({ variable }) => Object.values(variable))
  const checks = variables.flatMap(([{ validation }]) => validation)
  figure(
    `terraform: ${variables.length} variables, each with type and description, and ${checks.length} validations`,
  )
  expect(variables.length).toBeGreaterThan(60)
  expect(checks.length).toBeGreaterThan(variables.length)
})

test.each(['type', 'description', 'validation'])('a variable without %s is seen', async (part) => {
  const parts = {
    type: 'type = string',
    description: 'description = "A name."',
    validation: 'validation {\n condition = var.a != ""\n error_message = "Name it."\n }',
  }
  const variable = (left: readonly string[]) => `variable "a" {\n${left.join('\n')}\n}\n`
  expect(Object.keys((await readHcl(variable(Object.values(parts)))).variable)).toEqual(['a'])
  const left = Object.entries(parts).filter(([name]) => name !== part)
  await expect(readHcl(variable(left.map(([, text]) => text)))).rejects.toThrow(part)
})

test('an environment that a module takes is one that the service takes, and the other way round', async () => {
  const all = await Promise.all([...modules, ...examples].map(readModule))
  const conditions = all.flatMap(({ variable }) =>
    (variable['environment']?.[0].validation ?? []).map(({ condition }) => condition),
  )
  const forms = conditions.flatMap(
    (text) => /regex\("([^"]+)", var\.environment/.exec(text)?.[1] ?? [],
  )
  expect(forms.length).toBeGreaterThan(5)
  const names = [
    'p',
    'prod-2',
    'p'.repeat(31),
    'p'.repeat(32),
    '',
    'Prod',
    '2prod',
    '-prod',
    'prod_2',
  ]
  for (const form of new Set(forms)) {
    const taken = names.filter((name) => new RegExp(form).test(name))
    expect(taken).toEqual(names.filter((name) => plainSections.environment.safeParse(name).success))
  }
})

test.each(modules)('the README of %s has the inputs and outputs of its HCL', async (folder) => {
  const file = join(terraformFolder, folder, 'README.md')
  const tables = tablesOf(await readModule(folder))
  await expect(withTables(readFileSync(file, 'utf8'), tables)).toMatchFileSnapshot(file)
})

test('an example of a key or a catalogue gives it the catalogue in force', () => {
  const comparing = modules.filter((folder) => /(?:signing-key|catalogue)$/.test(folder))
  expect(comparing).toHaveLength(3)
  const without = comparing.filter((folder) => {
    const text = readFileSync(join(terraformFolder, folder, 'README.md'), 'utf8')
    return !/```hcl\n[^`]*\n  previous_catalogue = local\.previous_catalogue\n/.test(text)
  })
  expect(without).toEqual([])
})

test('every link between the documents leads somewhere', () => {
  const documents = globSync('**/*.md', { cwd: terraformFolder })
  const links = documents.flatMap((file) => {
    const text = readFileSync(join(terraformFolder, file), 'utf8')
    return [...text.matchAll(/\]\(([^)#]+)\)/g)].map(([, to = '']) => ({ file, to }))
  })
  const local = links.filter(({ to }) => !to.startsWith('https://'))
  expect(local.length).toBeGreaterThan(10)
  const broken = local.filter(({ file, to }) => !existsSync(join(terraformFolder, file, '..', to)))
  expect(broken).toEqual([])
})

test('a table that lags behind its HCL is seen', () => {
  const readme = '# A module\n\n## Inputs and outputs\n\n| input |\n'
  expect(withTables(readme, '| other |')).not.toBe(readme)
  expect(withTables(readme, '| input |')).toBe(readme)
})

describe('keys of a vault', () => {
  const owned = {
    aws_kms_key: ['is_enabled'],
    aws_kms_external_key: ['enabled', 'key_material_base64', 'valid_to'],
    azurerm_key_vault_key: ['expiration_date', 'not_before_date'],
  } as const

  test.each(Object.entries(owned))(
    '%s is never destroyed by a plan, and what the job or people own is left alone',
    async (type, ignored) => {
      const all = await Promise.all(modules.map(readModule))
      const found = all.flatMap(({ resource }) => Object.values(resource[type] ?? {}))
      expect(found).toHaveLength(1)
      const [lifecycle] = found[0]?.[0].lifecycle ?? []
      expect(lifecycle?.prevent_destroy).toBe(true)
      expect(lifecycle?.ignore_changes?.map((name) => name.replace(/^\$\{(.*)\}$/, '$1'))).toEqual(
        ignored,
      )
    },
  )

  test('have no way out: no release policy, no material in the state, no policy of rotation', () => {
    const text = globSync('{modules,examples}/**/*.tf', { cwd: terraformFolder })
      .map((file) => readFileSync(join(terraformFolder, file), 'utf8'))
      .join('\n')
    const code = text.replaceAll(/#.*$/gm, '')
    const out =
      /\brelease_policy\b|\bexportable\b|\brotation_policy\b|key_material_base64 +=|\baws_kms_grant\b|\baws_kms_replica/
    expect(out.exec(code)).toBeNull()
    expect(out.test('  key_material_base64 = "x"')).toBe(true)
  })
})
