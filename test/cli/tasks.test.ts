import { expect, test } from 'vitest'
import { type Home, homesOfThisFile, inStore, statesIn } from '../support/home.ts'
import { downloadedPem, githubFingerprint, withImportedKeys } from '../support/imported-keys.ts'
import { slowProcess } from '../support/slow-process.ts'

/** What `tasks` tells of a version that does not sign yet, whatever else of its key is not done. */

const homes = homesOfThisFile()

const suspend = (home: Home, ...subjects: readonly (readonly [kind: string, name: string])[]) =>
  inStore(home, (database) => {
    const insert = database.prepare(
      'insert into suspensions (kind, name, reason, at) values (?, ?, ?, ?)',
    )
    subjects.forEach(([kind, name], at) => insert.run(kind, name, 'a test', at))
  })

/** What the store has of a version whose vault denies to disable it. */
const denyDisabling = (home: Home, n: number) =>
  inStore(home, (database) =>
    database.prepare(`update versions set disabled_at = null where key = 'bot' and n = ?`).run(n),
  )

/** The next key of the GitHub App. */
async function take(home: Home, name: string): Promise<void> {
  const pem = downloadedPem(home, name)
  const seen = `github=${githubFingerprint(pem)}`
  const { exitCode } = await home.run(['import', 'bot', '--pem', pem, '--expect', seen])
  expect(exitCode).toBe(0)
}

const botsIn = (home: Home) => statesIn(home).filter((one) => one.startsWith('bot@'))
const tasksOf = async (home: Home) => (await home.run(['tasks'])).stdout

test('a version that waits for a proof, beside the overlap of another, and while a vault denies to disable a third', async () => {
  const home = homes.copy()
  home.edit((text) => withImportedKeys(text))
  await take(home, 'first.pem')
  await take(home, 'second.pem')
  using _ = slowProcess(home)
  await take(home, 'third.pem')
  expect(botsIn(home)).toEqual(['bot@1 retiring', 'bot@2 active', 'bot@3 published'])
  const waiting = /^bot@3 {2}switch: .* not proved by elsewhere pid 7$/m
  const early = await tasksOf(home)
  expect(early).toMatch(waiting)
  expect(early).toMatch(/^bot@1 {2}delete: .*\n {2}1\. Wait until /m)

  await home.run(['revoke', 'bot@1', '--reason', 'a test'])
  denyDisabling(home, 1)
  const late = await tasksOf(home)
  expect(late).toMatch(waiting)
  expect(late).toMatch(/^bot@1 {2}delete: it is revoked/m)
})

test('a version that waits while it and its key are suspended: what is told lets it sign', async () => {
  const home = homes.copy()
  home.edit((text) => withImportedKeys(text))
  await take(home, 'first.pem')
  suspend(home, ['key', 'bot'], ['version', 'bot@2'], ['version', 'bot@1'], ['caller', 'bot'])
  await take(home, 'second.pem')
  expect(botsIn(home)).toEqual(['bot@1 active', 'bot@2 published'])
  const told = await tasksOf(home)
  expect(told).toMatch(/^bot@2 {2}switch: .* suspended: key bot, version bot@2$/m)
  const resumes = told.matchAll(/^ {2}\d\. chancery (resume \w+ \S+) --reason 'it may sign'$/gm)
  for (const [, resume = ''] of resumes) {
    await home.run([...resume.split(' '), '--reason', 'it may sign'])
  }
  expect(await home.run(['rotate', 'bot'])).toMatchObject({ exitCode: 0 })
  expect(botsIn(home)).toEqual(['bot@1 retiring', 'bot@2 active'])
})
