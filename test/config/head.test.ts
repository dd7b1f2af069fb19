import { resolve } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { headOf } from '../../src/config/head.ts'
import { readConfigSource } from '../../src/config/text.ts'
import { anyDraft, written } from '../support/any-config.ts'
import { changed, goodConfig } from '../support/config-text.ts'

const read = (text: string) => headOf({ file: 'a.yaml', absolute: '/etc/chancery/a.yaml', text })

const good = { environment: 'dev', store: { sqlite: '/etc/chancery/var/chancery.db' } }

test('of whatever is written section by section it reads what the whole says', () => {
  fc.assert(
    fc.property(anyDraft, fc.constantFrom(0, 40), (draft, lineWidth) => {
      const sqlite = resolve('/etc/chancery', draft.sqlite)
      const { environment } = draft
      expect(read(stringify(written(draft), { lineWidth }))).toEqual({
        environment,
        store: { sqlite },
      })
    }),
    { numRuns: 100 },
  )
})

test('however its sections are ordered, it is what the whole says, or is left to that', () => {
  const sections = goodConfig.split(/^(?=\w)/m)
  const shuffled = fc.shuffledSubarray(sections, { minLength: sections.length })
  fc.assert(
    fc.property(shuffled, (ordered) => {
      expect([good, undefined]).toContainEqual(read(ordered.join('')))
    }),
    { numRuns: 100 },
  )
})

test.each([
  ['an entry that is wrong', changed('alg: ES256', 'alg: ES255')],
  ['an entry that is no YAML', changed('[sign-message]', '[sign-message')],
  ['comments, and a marker of its beginning', `# first\n---\n${goodConfig}`],
  ['lines of Windows', goodConfig.replaceAll('\n', '\r\n')],
  ['no entries', goodConfig.slice(0, goodConfig.indexOf('vaults:'))],
])('%s: it is read all the same', (_, text) => {
  expect(read(text)).toEqual(good)
})

test.each(['\u2028', '\u2029', '\r'])('%j begins no line, and so no section', (separator) => {
  const sqlite = `./a${separator}keys:b`
  const text = changed('./var/chancery.db', JSON.stringify(sqlite))
  expect(read(text)?.store).toEqual({ sqlite: `/etc/chancery/a${separator}keys:b` })
  const plain = changed('./var/chancery.db', sqlite)
  expect([`/etc/chancery/a${separator}keys:b`, undefined]).toContain(read(plain)?.store.sqlite)
})

const elsewhere = 'store: { sqlite: ./x.db }\n'

test.each([
  ['a store below the entries', changed('store:\n  sqlite: ./var/chancery.db\n', '') + elsewhere],
  ['a store that stands there twice', goodConfig + elsewhere],
  ['an environment that stands there twice', `${goodConfig}environment: prod\n`],
  ['a store that stands there in quotes, too', `${goodConfig}"store": { sqlite: ./x.db }\n`],
  ['a store that stands there with a space, too', `${goodConfig}store : { sqlite: ./x.db }\n`],
  ['another document', `${goodConfig}---\n${elsewhere}`],
  ['the end of the document', `${goodConfig}...\n`],
  ['an environment with a fault', changed('environment: dev', 'environment: Dev')],
  ['a member of the store that is unknown', changed('sqlite:', 'sqlight:')],
  ['a fault of YAML before the entries', changed('environment: dev', 'environment: [dev')],
  ['a list', '- environment: dev\n'],
  ['nothing', ''],
])('%s: it is left to the whole', (_, text) => {
  expect(read(text)).toBeUndefined()
})

test('a file that is not there is told as ever', () => {
  expect(() => readConfigSource('/nowhere/chancery.yaml')).toThrow(
    expect.objectContaining({
      code: 'config_invalid',
      message: expect.stringContaining('--config'),
    }),
  )
})
