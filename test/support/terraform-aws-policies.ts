import { z } from 'zod'
import type { Resource } from './terraform-azure-policies.ts'

/** What is granted in AWS, read from the resources that Terraform plans and not from what a module says of them. */

const statement = z.strictObject({
  Sid: z.string(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z
    .union([
      z.strictObject({ AWS: z.array(z.string()) }),
      z.strictObject({ Federated: z.string() }),
    ])
    .optional(),
  Action: z.union([z.string(), z.array(z.string())]),
  Resource: z.union([z.string(), z.array(z.string())]).optional(),
  Condition: z.record(z.string(), z.unknown()).optional(),
})
const policy = z.strictObject({ Version: z.literal('2012-10-17'), Statement: z.array(statement) })
export type Statement = z.infer<typeof statement>

const policyText = z.string().transform((text) => policy.parse(JSON.parse(text)))

const role = z.looseObject({ name: z.string(), assume_role_policy: policyText })
const rolePolicy = z.looseObject({ name: z.string(), role: z.string(), policy: policyText })
const attachment = z.looseObject({ role: z.string(), policy_arn: z.string() })
const key = z.looseObject({ policy: policyText, tags: z.record(z.string(), z.string()) })

/** All of some kinds. @throws for one of another form: it would be missing from what is reviewed. */
function everyOne<T>(
  resources: readonly Resource[],
  form: z.ZodType<T>,
  ...types: readonly string[]
) {
  return resources
    .filter(({ type }) => types.includes(type))
    .map(({ values }) => form.parse(values))
}

export type AwsPolicies = {
  /** By identity, the statements of every policy of its role. */
  readonly own: Readonly<Record<string, readonly Statement[]>>
  /** By kind of key and state, the key's policy. */
  readonly keys: Readonly<Record<string, readonly Statement[]>>
  /** By file below `policies`, all that an identity may do. */
  readonly files: Readonly<Record<string, object>>
}

export const awsIdentities = ['signer', 'rotator', 'importer', 'provisioner', 'auditor'] as const

/** Who holds which duty in the review, by the ends of their names; whoever else has a right is seen by that. */
const holders: Readonly<Record<string, string>> = {
  ...Object.fromEntries(awsIdentities.map((identity) => [`chancery-prod-${identity}`, identity])),
  'break-glass': 'recoverer',
}

/**
 * @param states by a generation's name, its state: the keys are called by it.
 */
export function awsPolicies(
  resources: readonly Resource[],
  states: Readonly<Record<string, string>>,
): AwsPolicies {
  const roles = everyOne(resources, role, 'aws_iam_role')
  const policies = everyOne(resources, rolePolicy, 'aws_iam_role_policy')
  const attached = everyOne(resources, attachment, 'aws_iam_role_policy_attachment')
  const keys = Object.fromEntries(
    everyOne(resources, key, 'aws_kms_key', 'aws_kms_external_key').map(({ tags, policy: its }) => {
      const state = states[tags['chancery:generation'] ?? '']
      return [`${tags['chancery:key']} ${state}`, its.Statement] as const
    }),
  )
  const own = Object.fromEntries(
    roles.map(({ name }) => {
      const its = policies.filter((one) => one.role === name)
      return [identityOf(name), its.flatMap((one) => one.policy.Statement)]
    }),
  )
  const trusted = Object.values(keys)
    .flat()
    .flatMap(namesIn)
    .filter((name) => name !== '*')
  const names = new Set([...roles.map(({ name }) => name), ...trusted])
  const files = [...names].map((name) => {
    const document = {
      identity: identityOf(name),
      role: roles.filter((one) => one.name === name).map(shown)[0],
      policies: policies.filter((one) => one.role === name).map(shown),
      attached: attached.filter((one) => one.role === name).map(({ policy_arn }) => policy_arn),
      on_keys: onKeys(keys, name),
    }
    return [`aws/${identityOf(name)}.json`, document] as const
  })
  return { own, keys, files: Object.fromEntries(files) }
}

/** A role's last name; an account for itself. */
function namesIn({ Principal }: Statement): readonly string[] {
  const arns = Principal && 'AWS' in Principal ? Principal.AWS : []
  return arns.map((arn) => arn.split('/').at(-1) ?? arn)
}

function identityOf(name: string): string {
  return holders[name] ?? name
}

/** All that is said of it, but for what only a cloud knows, and what says nothing. */
function shown(values: Readonly<Record<string, unknown>>): object {
  const left = ['arn', 'id', 'unique_id', 'create_date', 'name_prefix', 'tags_all', 'role']
  return Object.fromEntries(
    Object.entries(values).filter(([name, value]) => !left.includes(name) && isSaid(value)),
  )
}

function isSaid(value: unknown): boolean {
  return value !== null && value !== false && !(Array.isArray(value) && value.length === 0)
}

function onKeys(keys: AwsPolicies['keys'], name: string): object {
  return Object.fromEntries(
    Object.entries(keys).map(([kind, statements]) => {
      return [
        kind,
        statements.filter((one) => one.Effect === 'Deny' || namesIn(one).includes(name)),
      ]
    }),
  )
}

/** A statement of a key's policy that allows this identity something. */
export function concerns(one: Statement, identity: string): boolean {
  return one.Effect === 'Allow' && namesIn(one).some((name) => identityOf(name) === identity)
}

export function allowsOf(statements: readonly Statement[] = []): readonly Statement[] {
  return statements.filter(({ Effect }) => Effect === 'Allow')
}

export function allowsOnKeys({ keys }: AwsPolicies): readonly Statement[] {
  return Object.values(keys).flatMap(allowsOf)
}

/** By its own policies, and by those of the keys. */
export function actionsOf(aws: AwsPolicies, identity: string): readonly string[] {
  const onItsKeys = allowsOnKeys(aws).filter((one) => concerns(one, identity))
  const all = [...allowsOf(aws.own[identity]), ...onItsKeys]
  return [...new Set(all.flatMap(({ Action }) => Action))]
}
