import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { parseJson } from '../../src/lib/json.ts'
import { type Generated, schemaOf, versionOf } from './generated-code.ts'

/**
 * Writes `schemas/*.json` from the unpacked npm packages; README.md of this folder has the commands.
 *
 *     node terraform/testing/extract-schemas.ts DIRECTORY
 *
 * DIRECTORY holds `aws/package` and `azurerm/package`.
 */

/**
 * What our modules and examples use, and nothing else of the providers' thousands; and in AWS, what could grant
 * something beside what they use, so that a test of the policies sees it.
 */
const wanted = [
  {
    name: 'aws',
    resources: [
      'kms-key',
      'kms-external-key',
      'kms-alias',
      'iam-role',
      'iam-role-policy',
      'iam-policy',
      'iam-role-policy-attachment',
      'kms-key-policy',
    ],
    data: [],
  },
  {
    name: 'azurerm',
    resources: [
      'key-vault-key',
      'role-definition',
      'role-assignment',
      'user-assigned-identity',
      'federated-identity-credential',
    ],
    data: ['key-vault'],
  },
] as const

const packageFile = z.object({ name: z.string(), version: z.string() })

const [, , directory] = process.argv
if (directory === undefined) throw new Error('name the directory of the unpacked packages')

for (const { name, resources, data } of wanted) {
  const folder = join(directory, name, 'package')
  const generatedIn = (part: string): Generated => ({
    js: readFileSync(join(folder, 'lib', part, 'index.js'), 'utf8'),
    declarations: readFileSync(join(folder, 'lib', part, 'index.d.ts'), 'utf8'),
  })
  const schemas = (prefix: string, parts: readonly string[]) =>
    Object.fromEntries(
      parts.map((part) => {
        return [`${name}_${part.replaceAll('-', '_')}`, schemaOf(generatedIn(`${prefix}${part}`))]
      }),
    )
  const { name: npm, version } = packageFile.parse(
    parseJson(readFileSync(join(folder, 'package.json'), 'utf8')),
  )
  const document = {
    provider: `registry.terraform.io/hashicorp/${name}`,
    version: versionOf(generatedIn(resources[0])).version,
    from: `${npm} ${version}`,
    licence: 'MPL-2.0',
    configuration: schemaOf(generatedIn('provider')),
    resources: schemas('', resources),
    data_sources: schemas(`data-${name}-`, data),
  }
  writeFileSync(
    join(import.meta.dirname, 'schemas', `${name}.json`),
    `${JSON.stringify(document, undefined, 1)}\n`,
  )
}
