import { expect, test } from 'vitest'
import { changed, complaintsOf } from '../support/config-text.ts'

/** Members of later parts: as long as nothing obeys them, they may not look as if something did. */
const absent = [
  [
    'store.postgres',
    changed('  sqlite: ./var/chancery.db', '  sqlite: a\n  postgres: { urlFile: b }'),
  ],
  ['listen.ops.console', changed('127.0.0.1:8481', '127.0.0.1:8481\n    console: false')],
  ['vaults.local.provider', changed('provider: local', 'provider: pkcs11')],
] as const

test.each(absent)('%s does not exist yet, and is refused', (path, text) => {
  expect(complaintsOf(text).map((complaint) => complaint.path)).toEqual([path])
})
