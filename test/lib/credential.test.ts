import { describe, expect, test } from 'vitest'
import {
  createCredential,
  credentialId,
  isCredential,
  noCredential,
} from '../../src/lib/credential.ts'

describe.each(['chn', 'chr'] as const)('a credential %s_…', (kind) => {
  const other = kind === 'chn' ? 'chr' : 'chn'
  const { text, record } = createCredential(kind)

  test('says whose it is, and has its public id and 256 secret bits', () => {
    expect(text).toMatch(new RegExp(`^${kind}_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}$`))
    expect(credentialId(kind, text)).toBe(record.id)
    expect(text.split('_')[1]).toBe(record.id)
  })

  test('is no credential of the other kind', () => {
    expect(credentialId(other, text)).toBeUndefined()
    expect(isCredential(text.replace(kind, other), record.sha256)).toBe(false)
  })

  test('proves itself, and no other does', () => {
    expect(isCredential(text, record.sha256)).toBe(true)
    expect(isCredential(createCredential(kind).text, record.sha256)).toBe(false)
    expect(isCredential(text, noCredential)).toBe(false)
  })

  test.each(['', ' ', `${text} `, `${text}\n`, text.slice(1), text.toUpperCase(), `${text}a`])(
    'has exactly this form: %j has not',
    (sent) => {
      expect(credentialId(kind, sent)).toBeUndefined()
    },
  )
})
