import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homesOfThisFile, type Home, inStore, withKey } from '../support/home.ts'
import { assertSeeded, seeded } from '../support/seeded.ts'
import { eventually } from '../support/serving.ts'

const homes = homesOfThisFile()

/** What the processes say in the store, and which of them. */
function saidIn(home: Home) {
  return inStore(home, (database) => {
    const processes = database.prepare('select pid, host from processes').all()
    const proofs = database.prepare('select key, n, code from proofs order by key, n').all()
    return {
      processes: processes.length,
      proofs: proofs.map(({ key, n, code }) => `${String(key)}@${String(n)} ${String(code)}`),
    }
  })
}

/** `first-key@1` signs; `second@1` waits for its switch, and in its vault is what `spoil` leaves. */
async function homeWithStandby(spoil: (sealedFile: string) => void = () => {}): Promise<Home> {
  const home = homes.copy()
  home.edit((text) => withKey(text, 'second: { vault: local, alg: EdDSA, purpose: bytes }'))
  const before = new Set(readdirSync(home.at('vault')))
  await home.run(['rotate', 'second'])
  const [sealed = ''] = readdirSync(home.at('vault')).filter((file) => !before.has(file))
  spoil(join(home.at('vault'), sealed))
  inStore(home, (database) =>
    database.exec(`update versions set state = 'published' where key = 'second'`),
  )
  return home
}

test.concurrent('a process says that it serves before anybody can ask it, and takes it back when it stops', async () => {
  const home = homes.copy()
  await using one = await home.serve()
  expect(saidIn(home)).toEqual({ processes: 1, proofs: [] })
  await using other = await home.serve()
  expect(saidIn(home).processes).toBe(2)
  await other.stop()
  expect(saidIn(home).processes).toBe(1)
  await one.stop()
  expect(saidIn(home).processes).toBe(0)
})

test.concurrent('every process proves a standby, suspended or not, before it signs anything by it', async () => {
  const home = await homeWithStandby()
  await home.run(['suspend', 'version', 'second@1', '--reason', 'a test'])
  await using one = await home.serve()
  await using other = await home.serve()
  await eventually(() => saidIn(home).proofs.length === 2)
  expect(saidIn(home)).toEqual({ processes: 2, proofs: ['second@1 ok', 'second@1 ok'] })
  await Promise.all([one.stop(), other.stop()])
  const { document } = await home.json(['audit', 'verify'])
  expect(document).toMatchObject({ verdict: 'whole', intents: 0 }) // a proof is no signature
})

test.concurrent.each([
  ['gone from its vault', (file: string) => rmSync(file)],
  ['damaged', (file: string) => writeFileSync(file, readFileSync(file).subarray(1))],
])('a standby that is %s is told as such, and what signs goes on', async (_, spoil) => {
  const home = await homeWithStandby(spoil)
  await using serving = await home.serve()
  await eventually(() => saidIn(home).proofs.length === 1)
  expect(saidIn(home).proofs).toEqual(['second@1 vault_key_unusable'])
  expect(await serving.ask('first-key', { claims: { sub: 'a' } })).toMatchObject({ status: 200 })
  expect(await serving.readiness()).toEqual({ status: 200, reason: 'ok' })
  const metrics = await (await fetch(`${serving.opsUrl}/metrics`)).text()
  expect(metrics).toContain('\nchancery_unproved_versions{key="second"} 1\n')
  expect(metrics).toMatch(/\nchancery_signing_version_age_seconds\{key="first-key"\} \d/)
})

test.concurrent.each([
  ['every proof is good', ['second@1 ok'], 0],
  ['what a process says stays when it stops', ['second@1 vault_key_unusable'], 1],
])('seeded, this is seen: %s', async (seed, proofs, left) => {
  const home = await homeWithStandby(rmSync)
  await using serving = await home.serve(seeded(seed))
  await eventually(() => saidIn(home).proofs.length === 1)
  expect(saidIn(home).proofs).toEqual(proofs)
  assertSeeded(await serving.stop())
  expect(saidIn(home).processes).toBe(left)
})
