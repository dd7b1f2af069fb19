import { ambientRules } from './ambient-rules.ts'
import { importRules } from './import-rules.ts'
import { secrecyRules } from './secrecy-rules.ts'
import { sizeRules } from './size-rules.ts'
import { transactionRule } from './transaction-rule.ts'
import { typeRules } from './type-rules.ts'
import { wordRules } from './word-rules.ts'
import { parseSource, type Source, type SourceFile } from './parse.ts'
import { printed, type Rule } from './rule.ts'

/** STYLE §9, row by row, and one rule more: a file that does not parse is not tidy. */
export const rules: readonly Rule[] = [
  ...importRules,
  ...sizeRules,
  ...typeRules,
  ...ambientRules,
  ...secrecyRules,
  transactionRule,
  ...wordRules,
]

/** One line per violation, `path:line rule: fix`, each once. */
export function violationsOf(rule: Rule, files: readonly SourceFile[]): readonly string[] {
  return [...new Set(rule.find(files).map(printed))]
}

/** Every violation of every rule: pure, so that a sample is judged exactly like the tree. */
export function check(sources: readonly Source[]): readonly string[] {
  const files = sources.map(parseSource)
  return rules.flatMap((rule) => violationsOf(rule, files))
}
