import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { finished, main } from '../support/chancery.ts'
import { homesOfThisFile } from '../support/home.ts'

const homes = homesOfThisFile()

test.concurrent.each([
  ['goes away before it has read anything', 'chancery keys list | true'],
  ['goes away in the middle', 'chancery config schema | head -c 1 > /dev/null'],
  ['was never there', 'chancery keys list >&-'],
])('a reader that %s ends a command without a word', async (_, line) => {
  const { directory: cwd } = homes.copy()
  const script = `chancery() { "${process.execPath}" "${main}" "$@"; }\n${line}\necho "\${PIPESTATUS[0]}"`
  const ran = await finished(spawn('bash', ['-c', script], { cwd, stdio: 'pipe' }))
  expect(ran).toEqual({ exitCode: 0, stdout: '0\n', stderr: '' })
})

test.concurrent('a reader of the log that goes away does not stop the service', async () => {
  const home = homes.copy()
  await using serving = await home.serve()
  serving.deafen()
  for (let asked = 0; asked < 5; asked += 1) {
    expect((await serving.ask('first-key', { claims: { sub: 'a' } })).status).toBe(200)
  }
  expect((await serving.stop()).exitCode).toBe(0)
})
