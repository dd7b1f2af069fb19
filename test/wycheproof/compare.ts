import { ServiceError } from '../../src/errors.ts'
import type { Case } from './cases.ts'
import { ruleFor, staleRules, strictFlags } from './rules.ts'

export type Tally = {
  readonly name: string
  readonly accepted: number
  readonly refused: number
  /** Of those that ran: where our rules say other than the file, or the file leaves it to us. */
  readonly byRule: number
  readonly notOurs: number
  /** Empty, or something is wrong. */
  readonly unexpected: readonly string[]
}

type Verdict = 'accepted' | 'refused' | 'not ours' | `threw ${string}`

/** Puts every test of a file to our code, and compares what it says with what the file and our rules say. */
export async function compare(name: string, cases: readonly Case[]): Promise<Tally> {
  const tally = { accepted: 0, refused: 0, byRule: 0, notOurs: 0 }
  const unexpected = [
    ...staleRules(
      name,
      cases.map(({ tcId }) => tcId),
    ),
  ]
  for (const one of cases) {
    const wanted = expected(name, one)
    const verdict = wanted === 'not ours' ? wanted : await verdictOf(one)
    if (verdict === 'accepted') tally.accepted += 1
    if (verdict === 'refused') tally.refused += 1
    if (verdict === (one.result === 'invalid' ? 'accepted' : 'refused')) tally.byRule += 1
    if (verdict === 'not ours') tally.notOurs += 1
    if (verdict !== wanted) unexpected.push(`${described(one)}: ${verdict}, not ${wanted}`)
  }
  if (tally.accepted + tally.refused === 0) unexpected.push('0 run')
  return { name, ...tally, unexpected }
}

function expected(file: string, one: Case): Verdict | 'a verdict of our rules' {
  if (one.notOurs !== undefined) return 'not ours'
  const rule = ruleFor(file, one.tcId)
  if (rule) return rule.verdict
  const isStrict = one.flags.some((flag) => Object.hasOwn(strictFlags, flag))
  if (isStrict || one.result === 'invalid') return 'refused'
  return one.result === 'valid' ? 'accepted' : 'a verdict of our rules'
}

/** Anything but a refusal in so many words is a bug, even where a refusal was due. */
async function verdictOf({ accepts }: Case): Promise<Verdict> {
  try {
    return (await accepts()) ? 'accepted' : 'refused'
  } catch (error) {
    if (error instanceof ServiceError && error.code !== 'internal_error') return 'refused'
    return `threw ${String(error)}`
  }
}

function described({ tcId, result, flags, comment }: Case): string {
  return `test ${tcId} (${[result, ...flags].join(', ')}; ${comment})`
}

/** One line for a file, or for all of them. */
export function line({ name, accepted, refused, byRule, notOurs, unexpected }: Tally): string {
  const run = `${accepted + refused} run`.padStart(8)
  const verdicts = `${accepted} accepted, ${refused} refused (${byRule} by our rules)`
  return `${name.padEnd(38)} ${run}: ${verdicts}, ${notOurs} not ours, ${unexpected.length} unexpected`
}

export function total(tallies: readonly Tally[]): Tally {
  const sum = (count: (tally: Tally) => number) => tallies.reduce((all, t) => all + count(t), 0)
  return {
    name: `${tallies.length} files`,
    accepted: sum(({ accepted }) => accepted),
    refused: sum(({ refused }) => refused),
    byRule: sum(({ byRule }) => byRule),
    notOurs: sum(({ notOurs }) => notOurs),
    unexpected: tallies.flatMap(({ unexpected }) => unexpected),
  }
}
