import { z } from 'zod'

/** What is granted in Azure, read from the resources that Terraform plans and not from what a module says of them. */

const permissions = z.strictObject({
  actions: z.array(z.string()).nullable(),
  not_actions: z.array(z.string()).nullable(),
  data_actions: z.array(z.string()).nullable(),
  not_data_actions: z.array(z.string()).nullable(),
})
const roleDefinition = z.object({
  type: z.literal('azurerm_role_definition'),
  values: z.object({
    name: z.string(),
    role_definition_resource_id: z.string(),
    assignable_scopes: z.array(z.string()),
    permissions: z.array(permissions),
  }),
})
const roleAssignment = z.object({
  type: z.literal('azurerm_role_assignment'),
  values: z.object({
    scope: z.string(),
    principal_id: z.string(),
    role_definition_id: z.string().nullable(),
    /** A built-in role, which nothing here assigns. */
    role_definition_name: z.string().nullable(),
    condition: z.string().nullable(),
  }),
})
const resource = z.looseObject({ type: z.string(), address: z.string() })
const moduleValues = z.object({
  resources: z.array(resource).default([]),
  get child_modules() {
    return z.array(moduleValues).default([])
  },
})
const shown = z.object({ values: z.object({ root_module: moduleValues }) })
export type Resource = z.infer<typeof resource>

/** Everything in a state: `terraform show -json`. */
export function resourcesIn(state: unknown): readonly Resource[] {
  const all = ({ resources, child_modules }: z.infer<typeof moduleValues>): readonly Resource[] => [
    ...resources,
    ...child_modules.flatMap(all),
  ]
  return all(shown.parse(state).values.root_module)
}

/** Who has which role in the review, by object id. */
const principals: Readonly<Record<string, string>> = {
  '00000000-0000-4000-8000-00000000000a': 'signer',
  '00000000-0000-4000-8000-00000000000b': 'rotator',
  '00000000-0000-4000-8000-00000000000c': 'auditor',
}

/**
 * By file below `policies`, all that an identity may do: on each scope the roles that are assigned there.
 * A principal that nobody knows gets a file of its own, which nobody has reviewed.
 */
export function azurePolicies(resources: readonly Resource[]): Readonly<Record<string, object>> {
  const roles = new Map(
    resources
      .flatMap((one) => roleDefinition.safeParse(one).data ?? [])
      .map(({ values }) => [values.role_definition_resource_id, values]),
  )
  const assignments = resources
    .filter(({ type }) => type === 'azurerm_role_assignment')
    .map((one) => roleAssignment.parse(one).values)
  const held = Map.groupBy(assignments, ({ principal_id }) => principal_id)
  const documents = [...held].map(([id, own]) => {
    const identity = principals[id] ?? id
    const on = Map.groupBy(own, ({ scope }) => scope)
    const scopes = [...on].toSorted(byName).map(([scope, here]) => {
      return [scope, here.map((one) => roleOf(one, roles.get(one.role_definition_id ?? '')))]
    })
    return [`azure/${identity}.json`, { identity, on_scopes: Object.fromEntries(scopes) }] as const
  })
  return Object.fromEntries(documents)
}

type Assignment = z.infer<typeof roleAssignment>['values']
type Role = z.infer<typeof roleDefinition>['values']

function roleOf(assignment: Assignment, role: Role | undefined): object {
  const { role_definition_name, role_definition_id, condition } = assignment
  if (!role) return { role: role_definition_name ?? role_definition_id, condition }
  const { name, assignable_scopes, permissions: all } = role
  return {
    role: name,
    assignable_scopes,
    actions: all.flatMap(({ actions }) => actions ?? []),
    data_actions: all.flatMap(({ data_actions }) => data_actions ?? []),
    condition,
  }
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one.localeCompare(other)
}
