import { availableParallelism, cpus, loadavg } from 'node:os'
import type { Options } from './options.ts'
import type { Program } from './program.ts'
import { median } from './statistics.ts'

type Unit = 't' | 'ratio' | '/s' | 'ms' | 'µs' | 'MB' | 'bytes' | 'requests'

/** One measured thing, round by round; its value is their median. */
export type Figure = {
  /** For machines: `es256.ratio`. */
  readonly name: string
  /** For people. */
  readonly what: string
  readonly unit: Unit
  readonly rounds: readonly number[]
  readonly target?: { readonly bound: 'min' | 'max'; readonly value: number }
}

/** A measurement that had an error has no figures. */
export type Failure = { readonly name: string; readonly reason: string }

export type Outcome = { readonly figures: readonly Figure[]; readonly failures: readonly Failure[] }

const digits: Record<Unit, number> = {
  t: 2,
  ratio: 3,
  '/s': 0,
  ms: 2,
  µs: 1,
  MB: 1,
  bytes: 0,
  requests: 0,
}

export function isMet({ target, rounds }: Figure): boolean | undefined {
  if (!target) return undefined
  const value = median(rounds)
  return target.bound === 'min' ? value >= target.value : value <= target.value
}

export function jsonReport(machine: Machine, { figures, failures }: Outcome): string {
  const measured = figures.map((figure) => ({
    ...figure,
    value: median(figure.rounds),
    met: isMet(figure),
  }))
  return JSON.stringify({ machine, figures: measured, failures }, undefined, 2)
}

export function textReport(machine: Machine, { figures, failures }: Outcome): string {
  const rows = figures.map((figure) => [
    figure.what,
    shown(figure),
    targetOf(figure),
    metOf(figure),
  ])
  const failed = failures.map(({ name, reason }) => `FAILED ${name}: ${reason}`)
  const about = Object.entries(machine).map(([name, value]) => `${name} ${value}`)
  return [about.join(', '), '', ...table([headings, ...rows]), '', ...failed].join('\n')
}

const headings = ['figure', 'median (lowest – highest round)', 'target', 'met']

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = headings.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function shown({ rounds, unit }: Figure): string {
  const text = (value: number) => value.toFixed(digits[unit])
  const name = unit === 'ratio' || unit === 't' ? '' : unit === '/s' ? unit : ` ${unit}`
  const value = `${text(median(rounds))}${name}`
  if (rounds.length === 1) return value
  return `${value} (${text(Math.min(...rounds))} – ${text(Math.max(...rounds))})`
}

function targetOf({ target, unit }: Figure): string {
  if (!target) return ''
  const name = unit === 'ratio' || unit === 't' ? '' : ` ${unit}`
  return `${target.bound === 'min' ? '≥' : '≤'} ${target.value}${name}`
}

function metOf(figure: Figure): string {
  const met = isMet(figure)
  return met === undefined ? '' : met ? 'yes' : 'NO'
}

/** What the figures are of: they mean little without it. */
export type Machine = ReturnType<typeof describeMachine>

export function describeMachine({ form, isStale }: Program, { rounds, seconds }: Options) {
  return {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    loadAverage: loadavg()
      .map((load) => load.toFixed(2))
      .join('/'),
    chancery: isStale ? `${form}, OLDER THAN src: npm run build` : form,
    rounds,
    seconds,
  }
}
