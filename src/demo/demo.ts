import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { systemClock } from '../lib/clock.ts'
import { Caller } from './caller.ts'
import { Checks } from './checks.ts'
import { extendConfiguration } from './configuration.ts'
import { download, type Downloads, importKeys, importWrongFile, signImported } from './imports.ts'
import { type Program, program } from './program.ts'
import { jwksUrl, startRegistry } from './registry.ts'
import { rotateUnderLoad } from './rotation.ts'
import { showRefusals } from './refusals.ts'
import { showKeys, signForContentful, signWithEach } from './signatures.ts'
import { withdraw } from './withdrawal.ts'
import { type Stage, signUnderLoad, type Stop, stopUnderLoad } from './stopping.ts'

const urls = z.object({ sign: z.string() })
const apiKey = z.object({ apiKey: z.string(), id: z.string(), sha256: z.string() })

/**
 * The first 60 seconds: a service of its own in a temporary directory, and everything once.
 *
 * @returns 1 when a check failed.
 */
export async function runDemo(print: (line: string) => void, keep: boolean): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'chancery-demo-'))
  try {
    return await demoIn(directory, print, keep)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function demoIn(
  directory: string,
  print: (line: string) => void,
  keep: boolean,
): Promise<number> {
  const checks = new Checks(print)
  const configFile = join(directory, 'chancery.yaml')
  const chancery = program(configFile)

  checks.title('An app registry, a configuration, a vault, and a key version for each key')
  const [registry, init, downloads] = await Promise.all([
    startRegistry(join(directory, 'registry')),
    chancery.run(['init', directory]),
    download(join(directory, 'downloads')),
  ])
  await using _ = registry.process
  checks.check(init.exitCode === 0, 'chancery init')
  const [app, stranger] = await Promise.all([newKey(chancery, 'app'), newKey(chancery, 'stranger')])
  checks.check(
    (await fetch(`${registry.url}/healthz`)).ok,
    `chancery registry serve: a process of its own, listening on ${registry.url}`,
  )
  await extendConfiguration(configFile, { app, stranger }, registry)
  await fillVault({ program: chancery, checks }, join(directory, 'var', 'vault'), downloads)

  checks.title('The service')
  await using served = await chancery.start(['serve'])
  const { sign: signUrl } = urls.parse(served.listening)
  const caller = new Caller(signUrl, app.apiKey)
  checks.check(
    (await caller.get('/healthz')).text.trim() === 'ok',
    `chancery serve: a process of its own, listening on ${signUrl}`,
  )
  const stage = { program: chancery, app: caller, checks, now: () => systemClock.now() }
  const others = { stranger: new Caller(signUrl, stranger.apiKey), jwks: jwksUrl(registry) }
  await showEverything(stage, others, downloads)
  print(`\nTry it:\n${curlLine(signUrl, keep ? app.apiKey : '<API key>')}`)
  const exitCode = checks.finish()
  if (keep) await held(print)
  return exitCode
}

/** One command makes keys, another takes those of others. What changes nothing runs beside the former. */
async function fillVault(
  { program: chancery, checks }: Pick<Stage, 'program' | 'checks'>,
  vaultDirectory: string,
  downloads: Downloads,
): Promise<void> {
  const [checked, rotated, refusal] = await Promise.all([
    chancery.run(['config', 'check']),
    chancery.run(['rotate']),
    importWrongFile(chancery, vaultDirectory, downloads),
  ])
  checks.check(checked.exitCode === 0, 'chancery config check')
  checks.check(
    rotated.exitCode === 0,
    'chancery rotate: made the first version of each key that is its own, told the registry, and activated it',
  )
  checks.title('Keys that others made, by the command that their teams would type')
  for (const [isGood, line] of refusal) checks.check(isGood, line)
  await importKeys(chancery, downloads, checks)
}

const suspension: Stop = {
  command: ['suspend', 'key', 'partner'],
  key: 'partner',
  claims: {},
  status: 403,
  code: 'suspended',
}

const revocation: Stop = {
  command: ['revoke', 'reports@1'],
  key: 'reports',
  claims: { sub: 'tenant:42' },
  status: 503,
  code: 'no_active_version',
}

type Others = { readonly stranger: Caller; readonly jwks: string }

async function showEverything(
  stage: Stage,
  { stranger, jwks }: Others,
  downloads: Downloads,
): Promise<void> {
  const { program: chancery, app, checks } = stage
  await showKeys(chancery, app, checks)
  await signForContentful(app, jwks, checks)
  await signWithEach(chancery, app, checks)
  const received = [...(await signImported(app, downloads, checks, stage.now))]
  await showRefusals(app, stranger, checks, stage.now())
  received.push(...(await signUnderLoad(stage)))

  checks.title('A suspension and a revocation, at once and under load')
  const stops = await Promise.all([
    stopUnderLoad(stage, suspension),
    stopUnderLoad(stage, revocation),
  ])
  for (const [isGood, line] of stops.flatMap(({ lines }) => lines)) checks.check(isGood, line)
  const resumed = await chancery.run(['resume', 'key', suspension.key, '--reason', 'demo'])
  const again = await app.sign(suspension.key, { claims: suspension.claims })
  checks.check(resumed.exitCode === 0 && again.status === 200, `resumed: ${again.status}`)
  received.push(...stops.flatMap(({ tokens }) => tokens), again.body.jwt ?? '')

  received.push(...(await rotateUnderLoad(stage, jwks)))

  checks.title('A revocation of a key that verifiers know')
  received.push(...(await withdraw(stage, jwks)))

  checks.title('The record of it')
  const [found, verified] = await Promise.all([
    chancery.run(['audit', 'find', '--jwt', '-'], received.join('\n')),
    chancery.run(['audit', 'verify']),
  ])
  checks.check(
    found.exitCode === 0,
    `audit find: all ${received.length} JWTs that the caller received`,
  )
  const { records } = z.object({ records: z.int() }).parse(verified.json)
  checks.check(verified.exitCode === 0, `audit verify: ${records} records, every chain whole`)
}

async function newKey(chancery: Program, name: string) {
  return apiKey.parse((await chancery.run(['callers', 'new-key', name])).json)
}

function curlLine(signUrl: string, credential: string): string {
  return [
    'curl -sS',
    `-H 'Authorization: Bearer ${credential}'`,
    `-H 'Content-Type: application/json' -H 'Accept: text/plain'`,
    `-d '{"claims":{}}' ${signUrl}/v1/keys/bot/sign`,
  ].join(' ')
}

async function held(print: (line: string) => void): Promise<void> {
  print('\nEverything is held open; Ctrl-C ends it and removes it.')
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
}
