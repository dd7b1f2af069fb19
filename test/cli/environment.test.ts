import { expect, test, vi } from 'vitest'
import { chancery } from '../support/chancery.ts'

vi.setConfig({ testTimeout: 60_000 })

/** PITFALLS §1: a process inherits settings, and would then trust or tell somebody else. */
test.concurrent.each([
  ['NODE_OPTIONS', '--title=other'],
  ['NODE_TLS_REJECT_UNAUTHORIZED', '0'],
  ['SSLKEYLOGFILE', '/tmp/keys.log'],
  ['NODE_USE_ENV_PROXY', '1'],
])('%s in the environment is refused by name, before anything is done', async (name, value) => {
  const ran = await chancery(['config', 'schema'], { env: { [name]: value } })
  expect(ran).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: `chancery does not run with ${name} in its environment: unset it\n`,
  })
})

test.concurrent('set to nothing it is as if it were not there', async () => {
  const env = { NODE_USE_ENV_PROXY: '', NODE_TLS_REJECT_UNAUTHORIZED: '' }
  expect(await chancery(['config', 'schema'], { env })).toMatchObject({ exitCode: 0, stderr: '' })
})
