import { parseArgs } from 'node:util'
import { measurementNames } from './subjects.ts'

export type Options = {
  readonly json: boolean
  readonly rounds: number
  /** Of one measurement in one round. */
  readonly seconds: number
  readonly rssSeconds: number
  /** Run src/main.ts instead of what was compiled. */
  readonly fromSource: boolean
  /** Beside our own load generator, as a check of it. */
  readonly withAutocannon: boolean
  readonly chosen: ReadonlySet<string>
}

export const usage = `npm run bench -- [options]
  --json              one JSON document on stdout
  --rounds N          interleaved rounds (5)
  --seconds N         per measurement in a round (3)
  --rss-seconds N     idle time before the memory is read (60)
  --only NAME…        ${measurementNames.join(' ')}
  --source            src/main.ts instead of dist/src/main.js
  --generator NAME    own (the default), or autocannon: beside it, as a cross-check
`

/** @throws {Error} for anything that is not as `usage` says. */
export function readOptions(argv: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true, // the second and later names behind --only
    options: {
      json: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      'rss-seconds': { type: 'string', default: '60' },
      only: { type: 'string', multiple: true, default: [] },
      source: { type: 'boolean', default: false },
      generator: { type: 'string', default: 'own' },
    },
  })
  if (values.only.length === 0 && positionals.length > 0)
    throw new Error('names stand behind --only')
  const names = [...values.only, ...positionals]
  const unknown = names.find((name) => !measurementNames.includes(name))
  if (unknown !== undefined) throw new Error(`no such measurement: ${unknown}`)
  if (!['own', 'autocannon'].includes(values.generator)) throw new Error('no such generator')
  return {
    json: values.json,
    rounds: count(values.rounds, 'rounds'),
    seconds: count(values.seconds, 'seconds'),
    rssSeconds: count(values['rss-seconds'], 'rss-seconds'),
    fromSource: values.source,
    withAutocannon: values.generator === 'autocannon',
    chosen: new Set(names.length === 0 ? measurementNames : names),
  }
}

function count(text: string, name: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`--${name} is a number from 1`)
  return Number(text)
}
