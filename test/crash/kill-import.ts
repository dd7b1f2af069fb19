import { generateKeyPairSync, hash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { type Home, withKey } from '../support/home.ts'
import { dashboard, put } from '../support/imported-keys.ts'
import { assertSeeded } from '../support/seeded.ts'
import { dying, living } from './program.ts'

/** What was seen of imports that were killed and run again; no problem is a good one. */
export type KilledImport = {
  readonly imports: number
  readonly kills: number
  /** Keys in the vault that no version is; each was told. */
  readonly orphans: number
  readonly problems: readonly string[]
}

/** One import: where its runs die, one after the other, and what the last one is given. */
export type ImportCase = {
  readonly ends: readonly string[]
  /** `another file`: from the second run on, as if the first key had been the wrong one. */
  readonly how: 'compared' | 'not compared' | 'another file'
}

/** Keys of a manual registry, `key-0` and so on, which the caller of `init` may use. */
export function withImports(text: string, count: number): string {
  const names = Array.from({ length: count }, (_, i) => nameOf(i))
  const settings = `vault: local, alg: RS256, source: imported, profile: { name: github-app, issuer: Iv23x }, registry: { type: manual, system: github, url: '${dashboard}' }`
  const grants = names.map(
    (name) => `  - { caller: first-caller, key: ${name}, operations: [sign-claims] }`,
  )
  const keyed = names.reduce((all, name) => withKey(all, `${name}: { ${settings} }`), text)
  return `${keyed}${grants.join('\n')}\n`
}

export const nameOf = (i: number) => `key-${i}`

/**
 * Imports a new key for each case, is killed where it says, runs the same command again, and looks at
 * what is left in the store, in the vault and of the key file. Stops at the first problem.
 *
 * @param mistakes of every run: the killed ones, and the one that should put it right.
 */
export async function killImport(
  home: Home,
  cases: readonly ImportCase[],
  mistakes: readonly string[] = [],
): Promise<KilledImport> {
  const problems: string[] = []
  let [imports, kills, orphans] = [0, 0, 0]
  for (const [i, { ends, how }] of cases.entries()) {
    const seen = await killAndLook(home, i, { ends, how }, mistakes)
    imports += 1
    kills += seen.kills
    orphans += seen.orphans
    problems.push(...seen.problems.map((one) => `killed ${ends.join(' and ')}, ${how}: ${one}`))
    if (problems.length > 0) return { imports, kills, orphans, problems }
  }
  const { exitCode } = await home.run(['audit', 'verify'])
  if (exitCode !== 0) problems.push('the audit is broken')
  return { imports, kills, orphans, problems }
}

async function killAndLook(
  home: Home,
  i: number,
  { ends, how }: ImportCase,
  mistakes: readonly string[],
) {
  const key = nameOf(i)
  const first = newSource(home, `${key}.pem`, pairs(2 * i))
  const last =
    how === 'another file' ? newSource(home, `${key}-other.pem`, pairs(2 * i + 1)) : first
  const expected = ({ shown }: Source) =>
    how === 'not compared' ? [] : ['--expect', `github=${shown}`]
  const commandOf = (source: Source) => [
    'import',
    key,
    '--pem',
    source.file,
    '--delete-source',
    ...expected(source),
  ]
  for (const [time, point] of ends.entries()) {
    const source = time === 0 ? first : last
    const died = await home.run(commandOf(source), dying(point, mistakes))
    assertSeeded(died)
    const { exitCode, stderr } = died
    if (exitCode !== null) return bad(time, `it does not die: ${exitCode} ${stderr}`)
    if (!isSomewhere(home, key, source)) return bad(time + 1, 'the key is in no file, and lost')
  }
  const { exitCode, stdout, stderr } = await home.run(
    ['--json', ...commandOf(last)],
    living(mistakes),
  )
  assertSeeded({ stderr })
  const kills = ends.length
  if (exitCode !== 0) return bad(kills, `import ends with ${exitCode}: ${stderr}`)
  const left = look(home, key)
  return {
    kills,
    orphans: left.orphans.length,
    problems: wrongIn(left, last, how, stdout),
  }
}

const bad = (kills: number, problem: string) => ({ kills, orphans: 0, problems: [problem] })

/** `shown` as GitHub's dashboard shows it, by Node alone. */
type Source = { readonly file: string; readonly spki: Buffer; readonly shown: string }

function newSource(home: Home, name: string, { privateKey, publicKey }: KeyPair): Source {
  const file = put(home, name, privateKey.export({ type: 'pkcs1', format: 'pem' }))
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return { file, spki, shown: `SHA256:${hash('sha256', spki, 'base64')}` }
}

type KeyPair = ReturnType<typeof newPair>

const newPair = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
const made: KeyPair[] = []

/** Each home has its own vault: what one has imported is new to the next. */
const pairs = (i: number): KeyPair => (made[i] ??= newPair())

/** Until the key is a version, its file may be the only one who has it. */
function isSomewhere(home: Home, key: string, { file, spki }: Source): boolean {
  return existsSync(file) || look(home, key).versions.some((one) => spki.equals(one.spki))
}

const version = z.object({
  n: z.int(),
  state: z.string(),
  resource: z.string(),
  spki: z.instanceof(Uint8Array),
})
const entry = z.object({ step: z.string(), n: z.int(), state: z.string() })

/** What the store and the vault say, without asking the program. */
function look(home: Home, key: string) {
  const database = new DatabaseSync(home.at('chancery.db'), { readOnly: true })
  const all = (sql: string) => database.prepare(sql).all(key)
  const versions = z
    .array(version)
    .parse(all('select n, state, resource, spki from versions where key = ? order by n'))
  const journal = z.array(entry).parse(all('select step, n, state from journal where key = ?'))
  const audited = database
    .prepare(`select body from audit where body like '%an earlier import left%'`)
    .all()
    .map(({ body }) => String(body))
  database.close()
  const files = readdirSync(home.at('vault')).filter(
    (name) => name.startsWith(`${key}@`) && name.endsWith('.json'),
  )
  const known = new Set(versions.map(({ resource }) => resource))
  return { versions, journal, audited, files, orphans: files.filter((file) => !known.has(file)) }
}

const report = z.object({
  version: z.string(),
  state: z.string(),
  orphans: z.array(z.object({ version: z.string(), intent: z.string() })),
  sourceDeleted: z.literal(true),
  activation: z.null(),
})

function wrongIn(
  { versions, journal, audited, files, orphans }: ReturnType<typeof look>,
  { spki, file }: Source,
  how: ImportCase['how'],
  stdout: string,
): readonly string[] {
  const said = report.parse(JSON.parse(stdout))
  const own = versions.filter((one) => spki.equals(one.spki))
  const active = versions.filter(({ state }) => state === 'active')
  const open = journal.filter(({ state }) => state === 'open')
  const lost = versions.filter(({ resource }) => !files.includes(resource))
  const right = how === 'not compared' ? 'created' : 'active'
  const named = said.orphans.map((one) => `${one.version}.${one.intent}.json`)
  const untold = orphans.filter((name) => !named.includes(name) || !isRecorded(audited, name))
  const least = how === 'another file' ? 1 : 0
  return [
    ...(own.length === 1 ? [] : [`the key is ${own.length} versions`]),
    ...(own[0]?.state === right ? [] : [`it is ${own[0]?.state}, and should be ${right}`]),
    ...(active.every((one) => own.includes(one)) ? [] : ['another version signs']),
    ...(open.length === 0 ? [] : [`${open.length} intents are open`]),
    ...(lost.length === 0 ? [] : [`${lost.length} keys are lost`]),
    ...(orphans.length <= least ? [] : [`${orphans.length} orphans`]),
    ...(untold.length === 0 ? [] : [`an orphan is not told: ${untold.join()}`]),
    ...(named.every((name) => orphans.includes(name)) ? [] : [`told, and no orphan: ${stdout}`]),
    ...(existsSync(file) ? ['the source is still there'] : []),
  ]
}

/** A file is named `<version>.<intent>.json`. */
function isRecorded(audited: readonly string[], file: string): boolean {
  const intent = file.split('.')[1] ?? ''
  return audited.some((body) => body.includes(`intent ${intent}`))
}
