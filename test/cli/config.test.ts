import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { chancery, documentOf } from '../support/chancery.ts'
import { homesOfThisFile } from '../support/home.ts'
import { violations } from '../support/json-schema.ts'

const homes = homesOfThisFile()

test.concurrent('config check counts what there is', async () => {
  const { json, run, configFile } = homes.copy()
  const counts = { vaults: 1, keys: 1, callers: 1, grants: 1 }
  expect(await json(['config', 'check'])).toEqual({
    exitCode: 0,
    document: { file: configFile, environment: 'dev', ...counts, warnings: [] },
    stderr: '',
  })
  expect(await run(['config', 'check'])).toMatchObject({
    exitCode: 0,
    stdout: `${configFile} is good: environment dev, 1 vaults, 1 keys, 1 callers, 1 grants\n`,
  })
})

test.concurrent('config check tells every complaint, on stderr and in the document', async () => {
  const { json, edit, configFile } = homes.copy()
  edit((text) => text.replace('ES256', 'ES257').replace('maxLifetime: 15m', 'maxLifetime: long'))
  const { exitCode, document, stderr } = await json(['config', 'check'])
  expect(exitCode).toBe(2)
  const issue = (path: string) => ({ path, message: expect.stringContaining(`(${configFile}:`) })
  expect(document).toEqual({
    error: {
      code: 'config_invalid',
      message: `${configFile} has 2 problems`,
      issues: [issue('keys.first-key.alg'), issue('grants[0].maxLifetime')],
    },
  })
  expect(stderr).toMatch(
    /^chancery: .* has 2 problems\n {2}keys\.first-key\.alg: .*\n {2}grants\[0\]\.maxLifetime: .*\n$/,
  )
})

test.concurrent('config check looks at the secrets that are named', async () => {
  const { run, at } = homes.copy()
  chmodSync(at('audit-digest.key'), 0o644)
  expect(await run(['config', 'check'])).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr: `chancery: ${at('audit-digest.key')} is open to other users: chmod 600 ${at('audit-digest.key')} (defaultMode: 0440 where it is mounted)\n`,
  })
})

test.concurrent('config check reads the keys of issuers that stand in files', async () => {
  const { run, edit, directory } = homes.copy()
  const oidc = 'issuer: "https://a.example", audience: b, match: { c: d }, jwksFile: keys.json'
  edit((text) => text.replace('\ngrants:', `\n  other: { oidc: { ${oidc} } }\ngrants:`))
  const file = join(directory, 'keys.json')
  const said = `chancery: ${file} is no readable JWKS: write the one of https://a.example to it\n`
  expect(await run(['config', 'check'])).toMatchObject({ exitCode: 2, stderr: said })
  writeFileSync(file, '{}')
  expect(await run(['config', 'check'])).toMatchObject({ exitCode: 2, stderr: said })
  writeFileSync(file, '{"keys":[]}')
  expect(await run(['config', 'check'])).toMatchObject({ exitCode: 0 })
})

test.concurrent('config check makes no store', async () => {
  const { run, at } = homes.copy()
  rmSync(at('chancery.db'))
  expect(await run(['config', 'check'])).toMatchObject({ exitCode: 0 })
  expect(existsSync(at('chancery.db'))).toBe(false)
})

test.concurrent('config schema prints the JSON Schema that the configuration of init obeys', async () => {
  const { configFile } = homes.copy()
  const [forPeople, forPrograms] = await Promise.all([
    chancery(['config', 'schema']),
    chancery(['config', 'schema', '--json']),
  ])
  expect([forPeople.exitCode, forPrograms.exitCode]).toEqual([0, 0])
  const schema = documentOf(forPrograms)
  expect(JSON.parse(forPeople.stdout)).toEqual(schema)
  expect(schema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema' })
  expect(violations(Object(schema), parse(readFileSync(configFile, 'utf8')))).toEqual([])
})
