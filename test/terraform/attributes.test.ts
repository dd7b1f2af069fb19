import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { committedSchema } from '../../terraform/testing/schema.ts'
import { figure } from '../support/figure.ts'
import { usesIn, usesOf } from '../support/terraform-attributes.ts'
import { terraformFolder } from '../support/terraform.ts'

/** What the modules set and read is there, in the version of the provider that they are tested with. */

const folders = globSync(['modules/*', 'examples/*', 'examples/*/*'], { cwd: terraformFolder })
  .filter((folder) => globSync('*.tf', { cwd: join(terraformFolder, folder) }).length > 0)
  .toSorted()

test('every attribute of a provider that is used stands in its committed schema', async () => {
  const uses = (await Promise.all(folders.map(usesIn))).flat()
  expect(uses.filter(({ isKnown }) => !isKnown)).toEqual([])
  const attributes = new Set(uses.map(({ what }) => what))
  const versions = [committedSchema('aws'), committedSchema('azurerm')].map(
    ({ provider, version }) => `${provider.split('/').at(-1)} ${version}`,
  )
  figure(
    `terraform: ${uses.length} uses of ${attributes.size} attributes in ${folders.length} folders, all in the schemas of ${versions.join(' and ')}`,
  )
  expect(attributes.size).toBeGreaterThan(60)
})

describe('an attribute that no provider has is found', () => {
  test.each([
    ['set', 'resource "aws_kms_key" "a" {\n  exportable = true\n}\n', 'aws_kms_key.exportable'],
    [
      'set in a block',
      'resource "azurerm_role_definition" "a" {\n  permissions {\n    dataActions = []\n  }\n}\n',
      'azurerm_role_definition.permissions.dataActions',
    ],
    ['of the provider itself', 'provider "azurerm" {\n  purge = true\n}\n', 'azurerm.purge'],
    [
      'of a kind that is not there',
      'resource "aws_kms_grant" "a" {\n  name = "a"\n}\n',
      'aws_kms_grant.name',
    ],
    ['read', 'output "a" {\n  value = aws_kms_key.a["b"].key_arn\n}\n', 'aws_kms_key.key_arn'],
    [
      'read from a data source',
      'output "a" {\n  value = data.azurerm_key_vault.a.uri\n}\n',
      'data.azurerm_key_vault.uri',
    ],
    [
      'read in a loop',
      'output "a" {\n  value = { for name, key in azurerm_key_vault_key.a : name => key.urn }\n}\n',
      'azurerm_key_vault_key.urn',
    ],
  ])('%s: %s', async (_, text, what) => {
    const unknown = (await usesOf(text)).filter(({ isKnown }) => !isKnown)
    expect(unknown.map((one) => one.what)).toEqual([what])
  })
})

describe('a version of a provider', () => {
  const versionsIn = (pattern: string) =>
    globSync(pattern, { cwd: terraformFolder }).flatMap((file) => {
      const text = readFileSync(join(terraformFolder, file), 'utf8')
      const found = text.matchAll(/source += "hashicorp\/(aws|azurerm)"\s+version += "([^"]+)"/g)
      return [...found].map(([, name, version]) => ({ file, name, version }))
    })
  const countsOf = (found: ReturnType<typeof versionsIn>) =>
    Object.fromEntries(
      [...Map.groupBy(found, ({ name }) => name)].map(([name, all]) => [name, all.length]),
    )
  const tested = (name: string | undefined) =>
    committedSchema(name === 'aws' ? 'aws' : 'azurerm').version

  test('is in an example the one whose schema is tested', () => {
    const pinned = versionsIn('examples/**/versions.tf')
    expect(countsOf(pinned)).toEqual({ aws: 3, azurerm: 2 })
    expect(pinned.filter(({ name, version }) => version !== tested(name))).toEqual([])
  })

  test('is in a module that one or a later one, up to the next major', () => {
    const ranges = versionsIn('modules/*/versions.tf')
    expect(countsOf(ranges)).toEqual({ aws: 2, azurerm: 1 })
    const wanted = (name: string | undefined) => {
      const version = tested(name)
      return `>= ${version}, < ${Number(version.split('.')[0]) + 1}.0.0`
    }
    expect(ranges.filter(({ name, version }) => version !== wanted(name))).toEqual([])
  })
})
