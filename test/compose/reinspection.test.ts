import { readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startService } from '../../src/compose/serve.ts'
import { logger } from '../../src/lib/log.ts'
import { type Home, homesOfThisFile } from '../support/home.ts'
import { eventually } from '../support/serving.ts'

const homes = homesOfThisFile()

/** `serve` in this process, whose every timer is the test's. */
async function serving({ configFile, apiKey }: Home) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const lines: string[] = []
  const service = await startService(configFile, logger({ write: (line) => lines.push(line) }))
  onTestFinished(() => service.stop())
  const ask = async () => {
    const response = await fetch(`${service.urls.sign}/v1/keys/first-key/sign`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${apiKey}`, 'Content-Type': 'application/json' },
      body: '{"claims":{"sub":"a"}}',
    })
    const { code } = JSON.parse(await response.text())
    return [response.status, code]
  }
  const counted = async (result: string) => {
    const text = await (await fetch(`${service.urls.ops}/metrics`)).text()
    return text.includes(`chancery_reinspections_total{vault="local",result="${result}"} 1`)
  }
  return { ask, counted, lines }
}

function suspensionsIn({ at }: Home): readonly unknown[] {
  const database = new DatabaseSync(at('chancery.db'), { readOnly: true })
  const rows = database.prepare('select kind, name from suspensions').all()
  database.close()
  return rows.map(({ kind, name }) => `${String(kind)} ${String(name)}`)
}

test('serve looks at what it has open every 10 minutes; a key that is gone is suspended, for all, until resumed', async () => {
  const home = homes.copy()
  const { ask, counted } = await serving(home)
  await vi.advanceTimersByTimeAsync(600_000)
  await eventually(() => counted('unchanged'))
  expect([await ask(), suspensionsIn(home)]).toEqual([[200, undefined], []])

  const [file = ''] = readdirSync(home.at('vault'))
  const [sealed, aside] = [join(home.at('vault'), file), join(home.directory, 'aside')]
  renameSync(sealed, aside)
  expect(await ask()).toEqual([200, undefined]) // nobody has looked
  await vi.advanceTimersByTimeAsync(600_000)
  await eventually(async () => {
    await vi.advanceTimersByTimeAsync(5_000)
    return suspensionsIn(home).length > 0
  })
  expect(suspensionsIn(home)).toEqual(['version first-key@1'])
  expect((await ask())[0]).toBeGreaterThanOrEqual(403)
  expect(await counted('changed')).toBe(true)

  renameSync(aside, sealed)
  await vi.advanceTimersByTimeAsync(1_000)
  await eventually(async () => {
    await vi.advanceTimersByTimeAsync(500)
    return (await ask())[1] === 'suspended'
  })
  const resumed = await home.run(['resume', 'version', 'first-key@1', '--reason', 'put back'])
  expect(resumed.exitCode).toBe(0)
  expect(await ask()).toEqual([200, undefined])
  expect((await home.run(['audit', 'verify'])).exitCode).toBe(0)
})
