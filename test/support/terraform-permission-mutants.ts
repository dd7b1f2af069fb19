import { made, type Mutant } from './terraform-mutants.ts'

/** Permissions that appear: what has to change of the files in `policies`. */

const main = 'main.tf'
const kms = made('aws-kms-signing-key')
const identities = made('aws-identities')
const azure = made('azure-key-vault-signing-key')

/** Beside the key, and in its place: nothing of it would stand in a file. */
export const replacedPolicy: Mutant = {
  what: 'a policy that replaces a key’s',
  module: 'aws-kms-signing-key',
  file: main,
  apply: (text) => `${text}
resource "aws_kms_key_policy" "more" {
  for_each = aws_kms_key.generation
  key_id   = each.value.id
  policy   = "{}"
}
`,
}

const attached = `
resource "aws_iam_role_policy_attachment" "more" {
  role       = aws_iam_role.duty["signer"].name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}
`
const inline = `
resource "aws_iam_role_policy" "more" {
  name   = "more"
  role   = aws_iam_role.duty["rotator"].name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "More", Effect = "Allow", Action = ["kms:Sign"], Resource = local.keys }] })
}
`
const onTheWholeVault = `
resource "azurerm_role_assignment" "more" {
  scope                = data.azurerm_key_vault.this.id
  role_definition_name = "Key Vault Crypto User"
  principal_id         = var.identities.signers.serve
}
`

/** Each with the one file that has to change. */
const permissions: readonly (Mutant & { readonly changes: string })[] = [
  {
    ...identities(
      'the provisioner lists grants',
      '"kms:ListAliases"',
      '"kms:ListAliases", "kms:ListGrants"',
      'provisioner.tf',
    ),
    changes: 'aws/provisioner.json',
  },
  {
    ...azure(
      'the rotator recovers keys',
      '"Microsoft.KeyVault/vaults/keys/update/action",',
      '"Microsoft.KeyVault/vaults/keys/update/action", "Microsoft.KeyVault/vaults/keys/recover/action",',
    ),
    changes: 'azure/rotator.json',
  },
  {
    what: 'a managed policy attached to the signer',
    module: 'aws-identities',
    file: main,
    apply: (text) => `${text}${attached}`,
    changes: 'aws/signer.json',
  },
  {
    ...identities(
      'a managed policy in the auditor’s role',
      'path                 = "/chancery/"',
      'path                 = "/chancery/"\n  managed_policy_arns  = each.key == "auditor" ? ["arn:aws:iam::aws:policy/ReadOnlyAccess"] : null',
    ),
    changes: 'aws/auditor.json',
  },
  {
    what: 'a second policy of the rotator’s role',
    module: 'aws-identities',
    file: main,
    apply: (text) => `${text}${inline}`,
    changes: 'aws/rotator.json',
  },
  {
    what: 'a built-in role beside ours, for the signer on the whole vault',
    module: 'azure-key-vault-signing-key',
    file: main,
    apply: (text) => `${text}${onTheWholeVault}`,
    changes: 'azure/signer.json',
  },
]

/** In the keys' own policies: of an identity that has another one above. */
const onKeys: typeof permissions = [
  {
    ...kms(
      'a key with another policy than the one that was made for it',
      'policy                   = module.policy[each.key].json',
      'policy                   = replace(module.policy[each.key].json, "\\"kms:GetPublicKey\\",\\"kms:ListResourceTags\\"]", "\\"kms:GetPublicKey\\",\\"kms:Sign\\"]")',
    ),
    changes: 'aws/auditor.json',
  },
]

/** No file stands twice in one of these. */
export const permissionMutants = [permissions, onKeys].map((mutants) => {
  return { what: mutants.map(({ what }) => what).join(', '), mutants }
})
