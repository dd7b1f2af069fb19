import type { Case } from './case.ts'
import { matrix } from './cases.ts'
import { verdictOf } from './oracle.ts'
import { answerOf } from './put.ts'
import { estateService } from './service.ts'

export type Wrong = { readonly asked: Case; readonly expected: string; readonly answered: string }

export type Tally = {
  readonly cases: number
  readonly allowed: number
  readonly denied: number
  readonly wrongAllow: readonly Wrong[]
  readonly wrongDeny: readonly Wrong[]
  /** Denied for another reason than the oracle's, or allowed to sign something else. */
  readonly wrongAnswer: readonly Wrong[]
}

/** Puts the matrix to the service and the oracle. */
export async function tally(wrongMax = Infinity): Promise<Tally> {
  const service = await estateService()
  const counts = { cases: 0, allowed: 0 }
  const wrong: Wrong[] = []
  for (const asked of spread([...matrix()])) {
    const expected = verdictOf(asked)
    const answered = await answerOf(service, asked)
    counts.cases += 1
    if (isAllowed(expected)) counts.allowed += 1
    if (answered !== expected) wrong.push({ asked, expected, answered })
    if (wrong.length >= wrongMax) break
  }
  const sorted = Object.groupBy(wrong, kindOf)
  const { wrongAllow = [], wrongDeny = [], wrongAnswer = [] } = sorted
  return { ...counts, denied: counts.cases - counts.allowed, wrongAllow, wrongDeny, wrongAnswer }
}

function kindOf({ expected, answered }: Wrong): 'wrongAllow' | 'wrongDeny' | 'wrongAnswer' {
  if (isAllowed(expected) === isAllowed(answered)) return 'wrongAnswer'
  return isAllowed(answered) ? 'wrongAllow' : 'wrongDeny'
}

function isAllowed(verdict: string): boolean {
  return verdict.startsWith('200 ')
}

/** In an order in which neighbours are of different kinds: a mistake shows early. */
function spread(cases: readonly Case[]): readonly Case[] {
  const stride = 97
  return Array.from({ length: stride }, (_, from) =>
    cases.filter((_case, i) => i % stride === from),
  ).flat()
}
