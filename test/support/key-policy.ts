import { z } from 'zod'

/** Decides by a KMS key's policy as AWS would, for the operators that our policies use. */

const texts = z.union([z.string().transform((text) => [text]), z.array(z.string())])
const operators = z.strictObject({
  StringEquals: z.record(z.string(), texts).optional(),
  StringNotEquals: z.record(z.string(), texts).optional(),
  ArnNotEquals: z.record(z.string(), texts).optional(),
  Bool: z.record(z.string(), texts).optional(),
  'ForAnyValue:StringEquals': z.record(z.string(), texts).optional(),
})
const statement = z.strictObject({
  Sid: z.string(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z.strictObject({ AWS: z.array(z.string()) }),
  Action: z.array(z.string()),
  Resource: z.literal('*'),
  Condition: operators.default({}),
})
type Statement = z.infer<typeof statement>
const policyDocument = z.strictObject({
  Version: z.literal('2012-10-17'),
  Statement: z.array(statement),
})

export type KeyRequest = {
  /** The role's ARN. */
  readonly principal: string
  /** `kms:Sign` */
  readonly action: string
  /** By condition key; what a request does not carry is absent. */
  readonly context: Readonly<Record<string, string>>
}

/**
 * A denial wins, and what nobody allows is denied. The account itself is not looked for: our policies hand
 * it no decision about signing.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function permits(policy: string, request: KeyRequest): boolean {
  const { Statement } = policyDocument.parse(JSON.parse(policy))
  const matching = Statement.filter((one) => matches(one, request))
  const effects = matching.map(({ Effect }) => Effect)
  return effects.includes('Allow') && !effects.includes('Deny')
}

function matches({ Principal, Action, Condition }: Statement, request: KeyRequest): boolean {
  const names = Principal.AWS
  if (!names.includes('*') && !names.includes(request.principal)) return false
  return Action.includes(request.action) && holds(Condition, request)
}

/** Every operator and every key of it; an absent key equals nothing, and therefore also differs. */
function holds(condition: Statement['Condition'], { principal, context }: KeyRequest): boolean {
  const carried: Readonly<Record<string, string>> = { ...context, 'aws:PrincipalArn': principal }
  const isOneOf = ([key, values]: [string, string[]]) => values.includes(carried[key] ?? '')
  const { StringEquals = {}, StringNotEquals = {}, ArnNotEquals = {}, Bool = {} } = condition
  const anyOf = condition['ForAnyValue:StringEquals'] ?? {}
  const equals = [StringEquals, Bool, anyOf].flatMap((one) => Object.entries(one))
  const differs = [StringNotEquals, ArnNotEquals].flatMap((one) => Object.entries(one))
  return equals.every(isOneOf) && !differs.some(isOneOf)
}
