import { setTimeout as pause } from 'node:timers/promises'
import { type Bench, interleaved } from './bench.ts'
import { ask } from './connection.ts'
import { putAnyLoad, putLoad, type Target } from './load.ts'
import type { LoadResult } from './load-job.ts'
import { startPeer } from './peer.ts'
import type { Figure, Outcome } from './report.ts'
import { type Service, startService } from './service.ts'
import { median } from './statistics.ts'
import { vaults } from './subjects.ts'
import { installVaults, newKeyIn, type VaultInstallation } from './vault-installation.ts'

type Setting = VaultInstallation & { readonly bench: Bench; readonly service: Service }

/** What a service over vaults in a network costs, and what one vault's trouble costs another's keys. */
export async function measureVaults(bench: Bench): Promise<Outcome> {
  await using installed = await installVaults(bench)
  await using service = await startService(bench.program, installed.installation)
  const setting = { ...installed, bench, service }
  const outcomes = [
    await measureCost(setting),
    await measureNeighbours(setting),
    await measureOverload(setting),
  ]
  return {
    figures: outcomes.flatMap(({ figures }) => figures),
    failures: outcomes.flatMap(({ failures }) => failures),
  }
}

const figure =
  (unit: Figure['unit']) =>
  <R>(
    rounds: readonly R[],
    name: string,
    what: string,
    read: (round: R) => number,
    target?: Figure['target'],
  ): Figure => ({
    name: `${vaults.name}.${name}`,
    what,
    unit,
    rounds: rounds.map(read),
    ...(target === undefined ? {} : { target }),
  })
const ms = figure('ms')
const us = figure('µs')
const perSecond = figure('/s')

type Cost = { readonly ours: LoadResult; readonly bare: LoadResult }

/** Beside AWS's own client and nothing else, in the same rounds. */
async function measureCost({ bench, service, vaults: { steady } }: Setting): Promise<Outcome> {
  const failures: Outcome['failures'][number][] = []
  const { rounds: count, seconds } = bench.options
  const settings = { endpoint: steady.endpoint, keyArn: await newKeyIn(steady) }
  await using peer = await startPeer('bare-sdk-server.ts', settings)
  const target = service.target('in-steady')
  const { ratePerSecond: rate } = vaults
  const label = `a vault that takes ${vaults.behaviours.steady.delayMs} ms, ${rate}/s`
  const measured = await interleaved([{ name: vaults.name, label }], count, failures, async () => ({
    ours: await putLoad(target, seconds, rate),
    bare: await putLoad({ ...target, port: peer.port, pid: peer.pid }, seconds, rate),
  }))
  const rounds: readonly Cost[] = [...measured.values()].flat()
  if (rounds.length === 0) return { figures: [], failures }
  const { p50MsMax, p99MsMax } = vaults
  const figures = [
    ms(rounds, 'p50', `${label}: p50`, ({ ours }) => ours.p50Ms),
    ms(rounds, 'bare.p50', 'p50 of the bare SDK', ({ bare }) => bare.p50Ms),
    ms(rounds, 'p50.more', 'p50 more than that', ({ ours, bare }) => ours.p50Ms - bare.p50Ms, {
      bound: 'max',
      value: p50MsMax,
    }),
    ms(rounds, 'p99', `${label}: p99`, ({ ours }) => ours.p99Ms),
    ms(rounds, 'bare.p99', 'p99 of the bare SDK', ({ bare }) => bare.p99Ms),
    ms(rounds, 'p99.more', 'p99 more than that', ({ ours, bare }) => ours.p99Ms - bare.p99Ms, {
      bound: 'max',
      value: p99MsMax,
    }),
    us(rounds, 'cpu', 'CPU of a request', ({ ours }) => ours.serverCpuUs),
    us(rounds, 'bare.cpu', 'CPU of one by the bare SDK', ({ bare }) => bare.serverCpuUs),
  ]
  return { figures, failures }
}

type Trouble = {
  readonly alone: LoadResult
  readonly slow: LoadResult
  readonly down: LoadResult
  readonly again: LoadResult
}

/** What keys in one vault notice of another that is slow, or down. */
async function measureNeighbours(setting: Setting): Promise<Outcome> {
  const failures: Outcome['failures'][number][] = []
  const { rounds: count, seconds } = setting.bench.options
  const { troubled } = setting.vaults
  const put = () => putLoad(setting.service.target('in-steady'), seconds, vaults.neighbourPerSecond)
  const beside = async () => {
    const target = setting.service.target('in-troubled')
    const both = [put(), putAnyLoad(target, seconds, vaults.troublePerSecond)] as const
    const [seen] = await Promise.all(both)
    return seen
  }
  const label = 'keys of one vault beside another in trouble'
  const measured = await interleaved([{ name: vaults.name, label }], count, failures, async () => {
    await makeWell(setting)
    const alone = await beside()
    await troubled.behave({ delayMs: vaults.slowMs })
    const slow = await beside()
    await makeWell(setting)
    await troubled.behave({ isDown: true })
    const down = await beside()
    await makeWell(setting)
    return { alone, slow, down, again: await beside() }
  })
  const rounds: readonly Trouble[] = [...measured.values()].flat()
  if (rounds.length === 0) return { figures: [], failures }
  const calm = ({ alone, again }: Trouble) => (alone.p99Ms + again.p99Ms) / 2
  const fifthMs = Math.round(20 * median(rounds.map(calm))) / 100
  const target = { bound: 'max', value: Math.max(fifthMs, vaults.movedMsMax) } as const
  const figures = [
    ms(rounds, 'neighbour.p99', 'p99 beside a vault that is well', calm),
    ms(
      rounds,
      'control',
      'the same again, less the first',
      ({ alone, again }) => again.p99Ms - alone.p99Ms,
    ),
    ms(
      rounds,
      'slow',
      `p99 moved by one that takes ${vaults.slowMs} ms`,
      (round) => round.slow.p99Ms - calm(round),
      target,
    ),
    ms(
      rounds,
      'down',
      'p99 moved by one that is down',
      (round) => round.down.p99Ms - calm(round),
      target,
    ),
  ]
  return { figures, failures }
}

/** So many in a row, and what its breaker judges the vault by is good. */
const goodAnswers = 20
const askAgainMs = 100
const giveUpMs = 60_000

/** Each load begins as the first one does: with breakers that have forgotten what was before. */
async function makeWell({ service, vaults: { troubled } }: Setting): Promise<void> {
  await troubled.behave({ delayMs: vaults.quickMs, isDown: false })
  await isAsked(service.target('in-troubled'))
  await isAsked(service.target('in-steady'))
}

async function isAsked({ port, request }: Target): Promise<void> {
  const startedMs = performance.now()
  for (let good = 0; good < goodAnswers;) {
    const { isOk } = await ask(port, request)
    good = isOk ? good + 1 : 0
    if (isOk) continue
    if (performance.now() - startedMs > giveUpMs) throw new Error('a vault is well, and not asked')
    await pause(askAgainMs)
  }
}

/** Ten times what the vault takes. */
async function measureOverload({ bench, service }: Setting): Promise<Outcome> {
  const failures: Outcome['failures'][number][] = []
  const { rounds: count, seconds } = bench.options
  const target = service.target('in-limited')
  const { quotaPerSecond } = vaults
  const label = `10 × a quota of ${quotaPerSecond}/s`
  const measured = await interleaved([{ name: vaults.name, label }], count, failures, () =>
    putAnyLoad(target, seconds, 10 * quotaPerSecond),
  )
  const rounds = [...measured.values()].flat()
  if (rounds.length === 0) return { figures: [], failures }
  const least = { bound: 'min', value: 0.8 * quotaPerSecond } as const
  const figures = [
    perSecond(rounds, 'goodput', `${label}: signatures`, (round) => round.perSecond, least),
    ms(rounds, 'goodput.p99', `${label}: their p99`, ({ p99Ms }) => p99Ms),
  ]
  return { figures, failures }
}
