import type { Members } from './case.ts'
import type { RuleWords } from './estate.ts'

type Check = readonly [rule: string, holds: boolean]

/** CONTRACT §2, "Claim rules", each as what it means; then every claim has to be listed. */
export function ruleChecks(
  rules: Readonly<Record<string, RuleWords>>,
  claims: Members,
  caller: Readonly<Record<string, string>>,
): readonly Check[] {
  const sent = Object.keys(claims)
  return [
    ...Object.entries(rules).flatMap(([name, rule]): readonly Check[] => {
      const isSent = sent.includes(name)
      const [kind, isMet] = meaning(rule, claims[name], caller)
      return [
        [`${name}.required`, isSent || rule.optional === true],
        [`${name}.${kind}`, !isSent || isMet],
      ]
    }),
    ...sent.map((name): Check => [`${name}.unlisted`, Object.keys(rules).includes(name)]),
  ]
}

function meaning(
  rule: RuleWords,
  value: unknown,
  caller: Readonly<Record<string, string>>,
): readonly [kind: string, isMet: boolean] {
  if (rule.const !== undefined) return ['const', value === rule.const]
  if (rule.oneOf) return ['oneOf', new Set<unknown>(rule.oneOf).has(value)]
  if (rule.prefix !== undefined) {
    const { prefix } = rule
    return ['prefix', typeof value === 'string' && value.slice(0, prefix.length) === prefix]
  }
  if (rule.text !== undefined) {
    return ['text', typeof value === 'string' && value.split('').length <= rule.text]
  }
  const known = new Map(Object.entries(caller)).get(rule.fromCaller ?? '')
  return ['fromCaller', known !== undefined && value === known]
}
