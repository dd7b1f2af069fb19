import { loadavg } from 'node:os'
import { attempt, type Bench, progress } from './bench.ts'
import { measureBesideEcho } from './beside-echo.ts'
import { endChildrenAtExit } from './child.ts'
import { measureClosed } from './closed.ts'
import { measureRss, measureStart } from './first-signature.ts'
import { install } from './installation.ts'
import { measureJwks } from './jwks.ts'
import { putLoad } from './load.ts'
import { measureOpen } from './open.ts'
import { type Options, readOptions, usage } from './options.ts'
import { findProgram } from './program.ts'
import { RawLoop } from './raw.ts'
import {
  describeMachine,
  type Failure,
  type Figure,
  jsonReport,
  type Outcome,
  textReport,
} from './report.ts'
import { measureExistence } from './existence.ts'
import { measureSlow } from './slow.ts'
import { type Service, startService } from './service.ts'
import { median } from './statistics.ts'
import {
  es256,
  existence,
  hs256,
  rsa2048,
  type SignatureSubject,
  signatureSubjects,
  slow,
  vaults,
} from './subjects.ts'
import { measureVaults } from './vaults.ts'

/** What is done is said in figures; only an error is an exit code. */
const exitCodes = { done: 0, failed: 1, usage: 2 } as const

/** Above it others take so much of the cores that no ratio means anything. */
const quietLoadMax = 0.5

endChildrenAtExit()
process.exitCode = await run(process.argv.slice(2))

async function run(argv: readonly string[]): Promise<number> {
  let options: Options
  try {
    options = readOptions(argv)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}`)
    return exitCodes.usage
  }
  const program = findProgram(options.fromSource)
  const machine = describeMachine(program, options)
  if (program.isStale)
    progress('dist is older than src: this measures what was built, not what is written')
  const [load = 0] = loadavg()
  if (load > quietLoadMax)
    progress(`load average ${load.toFixed(1)}: whatever else runs here is measured too`)
  const outcome = await measured({ program, options })
  process.stdout.write(`${(options.json ? jsonReport : textReport)(machine, outcome)}\n`)
  return outcome.failures.length === 0 ? exitCodes.done : exitCodes.failed
}

/** What was found stays found, whatever fails later. */
type Findings = { readonly figures: Figure[]; readonly failures: Failure[] }

async function measured(given: Omit<Bench, 'installation'>): Promise<Outcome> {
  const findings: Findings = { figures: [], failures: [] }
  await attempt('bench', findings.failures, async () => {
    progress('a configuration with a key of each kind')
    await using installation = await install(given.program)
    const bench = { ...given, installation }
    await measureIdle(bench, findings)
    await measureUnderLoad(bench, findings)
    if (bench.options.chosen.has(vaults.name)) add(findings, await measureVaults(bench))
    if (bench.options.chosen.has('jwks')) add(findings, await measureJwks(bench))
  })
  return findings
}

async function measureIdle(bench: Bench, { figures, failures }: Findings): Promise<void> {
  const measurements = Object.entries({ start: measureStart, rss: measureRss })
  for (const [name, measure] of measurements) {
    if (!bench.options.chosen.has(name)) continue
    const figure = await attempt(name, failures, () => measure(bench))
    if (figure) figures.push(figure)
  }
}

async function measureUnderLoad(bench: Bench, findings: Findings): Promise<void> {
  const { chosen } = bench.options
  const closed = signatureSubjects.filter(({ name }) => chosen.has(name))
  const open = [es256, rsa2048].filter(({ name }) => chosen.has(`open-${name}`))
  const others = [hs256.name, slow.name, existence.name].filter((name) => chosen.has(name))
  if (closed.length + open.length + others.length === 0) return

  await using service = await startService(bench.program, bench.installation)
  add(findings, await measureClosed(bench, service, new RawLoop(), closed))
  if (chosen.has(hs256.name)) add(findings, await measureBesideEcho(bench, service))
  for (const subject of open) {
    const maximum = await maximumOf(bench, service, subject, findings.figures)
    add(findings, await measureOpen(bench, service, subject, maximum))
  }
  if (chosen.has(slow.name)) add(findings, await measureSlow(bench, service))
  if (chosen.has(existence.name)) add(findings, await measureExistence(bench, service))
}

function add({ figures, failures }: Findings, outcome: Outcome): void {
  figures.push(...outcome.figures)
  failures.push(...outcome.failures)
}

/** Measured already, or measured now. */
async function maximumOf(
  { options: { seconds } }: Bench,
  service: Service,
  { name, label }: SignatureSubject,
  figures: readonly Figure[],
): Promise<number> {
  const known = figures.find((figure) => figure.name === `${name}.rate`)
  if (known) return median(known.rounds)
  progress(`the most that ${label} can do, for the rate of its open loop`)
  return (await putLoad(service.target(name), seconds)).perSecond
}
