import { describe, expect, test } from 'vitest'
import { readCsv } from '../../src/service/import-csv.ts'

const read = (text: string, keyId?: string) => readCsv(Buffer.from(text), keyId)
const key = { keyId: 'k-1', secret: 's3cret', keysInFile: 1 }

test.each([
  ['columns by name, in any order', 'Secret,Name,Key ID\ns3cret,blog,k-1\n'],
  ['snake case', 'key_id,secret_key\nk-1,s3cret\n'],
  ['camel case', 'apiKeyId,apiSecret\nk-1,s3cret'],
  ['quotes', '"id","secret"\n"k-1","s3cret"\n'],
  ['Windows line ends and a BOM', '\ufeffid,secret\r\nk-1,s3cret\r\n'],
  ['an empty line at the end', 'id,secret\nk-1,s3cret\n\n'],
])('%s', (_, text) => {
  expect(read(text)).toEqual(key)
})

test('of several rows the one that was named, and how many there are', () => {
  const two = read('id,secret\nk-0,other\n\nk-1,s3cret\n', 'k-1')
  expect(two).toEqual({ ...key, keysInFile: 2 })
})

test('a secret with a comma and a quote stays whole', () => {
  expect(read('id,secret\nk-1,"a,""b"\n').secret).toBe('a,"b')
})

describe('what is ambiguous is refused, with the list', () => {
  test.each([
    ['no secret', 'id,value\nk-1,s3cret\n', 'no column for the secret: its columns are id, value'],
    [
      'no id',
      'name,secret\nk-1,s3cret\n',
      'no column for the key id: its columns are name, secret',
    ],
    [
      'two',
      'id,secret,api_secret\nk-1,a,b\n',
      '2 columns for the secret: its columns are id, secret',
    ],
    [
      'two ids',
      'id,key id,secret\nk-1,a,b\n',
      '2 columns for the key id: its columns are id, key id',
    ],
    ['two rows', 'id,secret\nk-0,a\nk-1,b\n', 'has 2 keys: name one with --key-id: k-0, k-1'],
    ['a row twice', 'id,secret\nk-1,a\nk-1,b\n', 'has 2 keys'],
    ['only a header', 'id,secret\n', 'has no row but its header'],
    ['an empty file', '', 'no column for the key id: its first line names none'],
    ['a line that is too long', 'id,secret\nk-1,s3cret,more\n', 'cannot be read'],
    ['an open quote', 'id,secret\nk-1,"s3cret\n', 'cannot be read'],
  ])('%s', (_, text, words) => {
    const reading = () => read(text)
    expect(reading).toThrowError(expect.objectContaining({ code: 'usage' }))
    expect(reading).toThrow(words)
    expect(reading).not.toThrow('s3cret')
  })

  test('an id that is not there', () => {
    expect(() => read('id,secret\nk-0,a\n', 'k-1')).toThrow('has not one row of k-1')
  })

  test('a file without a header shows nothing of its first line', () => {
    expect(() => read('k-1,s3cret\n')).toThrow('its first line names none')
    expect(() => read('k-1,s3cret\n')).not.toThrow('s3cret')
  })
})
