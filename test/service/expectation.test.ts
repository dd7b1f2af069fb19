import { describe, expect, test } from 'vitest'
import { assertExpected, readExpectation } from '../../src/service/expectation.ts'
import { fingerprintNames, fingerprints } from '../../src/signing/fingerprint.ts'
import { memoryKeyPair } from '../support/memory-key.ts'

const { publicKey } = memoryKeyPair('RS256')
const own = fingerprints(publicKey)
const other = fingerprints(memoryKeyPair('RS256', 'other').publicKey)

test.each(fingerprintNames)('%s: the key’s own value agrees, another key’s does not', (name) => {
  expect(assertExpected(publicKey, [readExpectation(`${name}=${own[name]}`)])).toBeUndefined()
  const wrong = readExpectation(`${name}=${other[name]}`)
  expect(() => assertExpected(publicKey, [wrong])).toThrowError(
    expect.objectContaining({
      code: 'refused',
      details: {
        issues: [{ path: name, message: `expected ${other[name]}, and the key has ${own[name]}` }],
      },
    }),
  )
})

test.each([
  ['github without SHA256:', `github=${own.github.slice('SHA256:'.length)}`],
  ['github without padding', `github=${own.github.replace(/=+$/, '')}`],
  ['github with spaces around', `  github=${own.github} `],
  ['github in small letters of its prefix', `github=sha256:${own.github.slice(7)}`],
  ['ssh with padding', `ssh=${own.ssh}=`],
  ['hex without colons', `spki-sha256-hex=${own['spki-sha256-hex'].replaceAll(':', '')}`],
  ['hex in capitals', `spki-sha256-hex=${own['spki-sha256-hex'].toUpperCase()}`],
  ['contentful with padding', `contentful=${own.contentful}=`],
])('%s is the same fingerprint', (_, text) => {
  expect(assertExpected(publicKey, [readExpectation(text)])).toBeUndefined()
})

test('one of several that does not agree is enough, and each that does not is named', () => {
  const texts = [`github=${own.github}`, `icr=${other.icr}`, `rfc7638=${other.rfc7638}`]
  expect(() => assertExpected(publicKey, texts.map(readExpectation))).toThrowError(
    expect.objectContaining({
      details: {
        issues: [
          expect.objectContaining({ path: 'icr' }),
          expect.objectContaining({ path: 'rfc7638' }),
        ],
      },
    }),
  )
})

test('a value under the wrong name is refused, with the right one', () => {
  expect(() => assertExpected(publicKey, [readExpectation(`github=${own.icr}`)])).toThrowError(
    expect.objectContaining({
      details: {
        issues: [
          {
            path: 'github',
            message: `expected ${own.icr}, and the key has ${own.github}: it is the key’s icr fingerprint, say icr=…`,
          },
        ],
      },
    }),
  )
})

describe('what is no named fingerprint', () => {
  test.each([
    own.github,
    own.contentful,
    'sha1=abc',
    'GITHUB=abc',
    '=abc',
    'github=',
    'github',
    '',
  ])('%o is refused with the list of names', (text) => {
    const names = fingerprintNames.map((name) => `${name}=…`).join(', ')
    expect(() => readExpectation(text)).toThrowError(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining(names) }),
    )
  })

  test.each([
    `github=${own.github.slice(0, -3)}`,
    'github=SHA256:not base64',
    'icr=AAAA',
    'spki-sha256-hex=zz',
    `contentful=${own.contentful}x`,
  ])('%s is no such fingerprint', (text) => {
    expect(() => readExpectation(text)).toThrowError(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining('in full') }),
    )
  })
})
