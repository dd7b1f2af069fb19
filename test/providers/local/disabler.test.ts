import { join } from 'node:path'
import { readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { localDisabler } from '../../../providers/local/disabler.ts'
import { rekey } from '../../../providers/local/rekey.ts'
import { memoryKey } from '../../support/memory-key.ts'
import { filesIn, openVersion, sealKey, vaultOfThisTest } from '../../support/vault-directory.ts'
import { withMode, withoutRoot } from '../../support/vault-directory.ts'

const { signal } = new AbortController()

async function vaultWithKey() {
  const home = await vaultOfThisTest()
  const { secret: key } = memoryKey('ES256')
  const resource = await sealKey(home, { name: 'blog@1', algorithm: 'ES256', key })
  return { home, resource }
}

test('a disabled version cannot be opened any more, and its file stays as it was', async () => {
  const { home, resource } = await vaultWithKey()
  const before = await readFile(join(home.directory, resource))
  await (await localDisabler(home)).disable(resource, signal)
  const opening = openVersion(home, resource, 'ES256')
  await expect(opening).rejects.toMatchObject({ code: 'vault_key_unusable' })
  expect(await filesIn(home.directory)).toEqual([`${resource}.disabled`])
  expect(await readFile(join(home.directory, `${resource}.disabled`))).toEqual(before)
  await expect((await localDisabler(home)).disable(resource, signal)).resolves.toBeUndefined()
})

test('a version that is gone is no failure', async () => {
  const home = await vaultOfThisTest()
  const disabler = await localDisabler(home)
  await disabler.disable('blog@7.01JD0000000000000000000000.json', signal)
  expect(await filesIn(home.directory)).toEqual([])
})

test('a rekey goes on without what was disabled', async () => {
  const { home, resource } = await vaultWithKey()
  await (await localDisabler(home)).disable(resource, signal)
  expect(await rekey(home)).toBe(0)
  expect(await filesIn(home.directory)).toEqual([`${resource}.disabled`])
})

test.each(['../master.key', '/etc/passwd', 'x.json', ''])(
  'no file outside the vault is touched: %s',
  async (resource) => {
    const home = await vaultOfThisTest()
    await writeFile(join(home.root, 'x.json'), 'x')
    const disabling = (await localDisabler(home)).disable(resource, signal)
    await expect(disabling).rejects.toMatchObject({ code: 'vault_key_unusable' })
    expect(await filesIn(home.root)).toEqual(['master.key', 'vault', 'x.json'])
  },
)

test('a directory that nothing can be renamed in: vault_denied, and no path in the words', async () => {
  const { home, resource } = await vaultWithKey()
  const disabling = withoutRoot(home, () =>
    withMode(home.directory, 0o500, async () => {
      await (await localDisabler(home)).disable(resource, signal)
    }),
  )
  await expect(disabling).rejects.toMatchObject({
    code: 'vault_denied',
    message: 'The sealed file cannot be put aside (EACCES)',
  })
})
