import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { terraformFolder } from './terraform.ts'

/** One mistake in a copy of a module, which the module's own tests have to find. */
export type Mutant = {
  readonly what: string
  readonly module: string
  readonly file: string
  readonly apply: (text: string) => string
}

/** Each validation and precondition of a module, switched off by itself. */
export function withoutAChecks(module: string): readonly Mutant[] {
  return ['variables.tf', 'outputs.tf', 'main.tf'].flatMap((file) => {
    const text = readFileSync(join(terraformFolder, 'modules', module, file), 'utf8')
    return [...text.matchAll(/^ +condition +=(?! \{) (.+)$/gm)]
      .filter(([, condition = '']) => !/^(?:null|local\.)/.test(condition))
      .map(({ 0: line, 1: condition = '', index }) => ({
        what: `without the check of ${file}:${text.slice(0, index).split('\n').length}`,
        module,
        file,
        apply: (whole: string) =>
          `${whole.slice(0, index)}${line.replace(condition, () => `(${condition}) || true`)}${whole.slice(index + line.length)}`,
      }))
  })
}

export function mutate(root: string, { module, file, apply }: Mutant): void {
  const path = join(root, 'modules', module, file)
  const text = readFileSync(path, 'utf8')
  const changed = apply(text)
  if (changed === text) throw new Error(`nothing changed in ${path}`)
  writeFileSync(path, changed)
}

const replaced = (from: string, to: string) => (text: string) => {
  if (text.split(from).length !== 2) throw new Error(`not there once: ${from}`)
  return text.replace(from, () => to)
}

const main = 'main.tf'
const policy = (what: string, from: string, to: string): Mutant => {
  return { what, module: 'key-policy-aws', file: main, apply: replaced(from, to) }
}

export const policyMutants: readonly Mutant[] = [
  policy('Sign with any algorithm', '{ (local.algorithm_key) = local.kms_algorithm },\n', '{},\n'),
  policy(
    'Sign with any type of message',
    'local.is_mac ? {} : { "kms:MessageType" = local.message_types }',
    '{}',
  ),
  policy(
    'Ed25519 over digests',
    'var.alg == "EdDSA" ? ["RAW"] : ["DIGEST", "RAW"]',
    '["DIGEST", "RAW"]',
  ),
  policy(
    'a retiring generation signs',
    'var.state == "enabled"',
    'contains(["enabled", "retiring"], var.state)',
  ),
  policy(
    'a pending generation signs',
    'var.state == "enabled"',
    'contains(["enabled", "pending"], var.state)',
  ),
  policy(
    'a disabled generation signs',
    'var.state == "enabled"',
    'contains(["enabled", "disabled"], var.state)',
  ),
  policy('the rotator signs', '["kms:DisableKey"]', '["kms:DisableKey", "kms:Sign"]'),
  policy('the rotator does not disable', '["kms:DisableKey"]', '["kms:DescribeKey"]'),
  policy('everybody may sign, if allowed elsewhere', 'ArnNotEquals', 'ArnEquals'),
  policy(
    'other algorithms, if allowed elsewhere',
    'condition = { StringNotEquals =',
    'condition = { StringEquals =',
  ),
  policy('grants, if allowed elsewhere', '          "kms:CreateGrant",\n', ''),
  policy('decryption, if allowed elsewhere', '          "kms:Decrypt",\n', ''),
  policy('replicas, if allowed elsewhere', '          "kms:ReplicateKey",\n', ''),
  policy('the provisioner decrypts', '"kms:UntagResource",', '"kms:UntagResource", "kms:Decrypt",'),
  policy(
    'a wildcard for the auditor',
    '["kms:GetKeyPolicy", "kms:ListResourceTags"]',
    '["kms:Get*", "kms:ListResourceTags"]',
  ),
  policy('material that expires', '"KEY_MATERIAL_DOES_NOT_EXPIRE"', '"KEY_MATERIAL_EXPIRES"'),
  policy('a short wrapping key', '"RSA_4096"', '"RSA_2048"'),
  policy(
    'a condition on reading',
    'actions    = local.read\n        condition  = null',
    'actions    = local.read\n        condition  = { StringEquals = { "kms:SigningAlgorithm" = local.kms_algorithm } }',
  ),
  policy(
    'whoever IAM lets repairs the policy',
    'var.account_recovers ? [local.account] : var.identities.recoverers',
    '[local.account]',
  ),
  policy(
    'a policy that nobody can change any more',
    '"kms:BypassPolicyLockoutSafetyCheck" = "true"',
    '"kms:BypassPolicyLockoutSafetyCheck" = "false"',
  ),
  policy(
    'an intent on a key of Terraform',
    'actions   = ["kms:TagResource", "kms:UntagResource"]',
    'actions   = ["kms:UntagResource"]',
  ),
  policy(
    'the public half of an HMAC key',
    'local.is_mac ? ["kms:DescribeKey"] :',
    'false ? ["kms:DescribeKey"] :',
  ),
]

const planned = (what: string, from: string, to: string): Mutant => {
  return { what, module: 'generation-plan', file: 'outputs.tf', apply: replaced(from, to) }
}

export const planMutants: readonly Mutant[] = [
  planned('a pending generation may sign', 'one.state == "enabled"', 'one.state != "disabled"'),
  planned('small RSA keys', '3072) : null', '2048) : null'),
]

/** A mistake in one of these: what it is, what stands there, and what in its place. */
export const made =
  (module: string) =>
  (what: string, from: string, to: string, file = main): Mutant => {
    return { what, module, file, apply: replaced(from, to) }
  }
const kms = made('aws-kms-signing-key')
const identities = made('aws-identities')
const inExample = made('../examples/aws/keys')
const importing = (what: string, from: string, to: string) =>
  identities(what, from, to, 'importer.tf')
const provisioning = (what: string, from: string, to: string) =>
  identities(what, from, to, 'provisioner.tf')
const azure = made('azure-key-vault-signing-key')

/** In modules with providers: a run of their tests takes seconds, so these are chosen. */
export const resourceMutants: readonly Mutant[] = [
  kms(
    'an attribute that no provider has',
    'enable_key_rotation      = false',
    'enable_rotation          = false',
  ),
  kms(
    'keys that can be copied to other regions',
    'enable_key_rotation      = false',
    'enable_key_rotation      = true',
  ),
  kms(
    'keys that decrypt',
    '"GENERATE_VERIFY_MAC" : "SIGN_VERIFY"',
    '"GENERATE_VERIFY_MAC" : "ENCRYPT_DECRYPT"',
  ),
  kms(
    'an alias for a resource',
    'resource          = local.arns[name]',
    'resource          = aws_kms_alias.generation[name].arn',
    'outputs.tf',
  ),
  identities(
    'a role for whoever has the issuer',
    '"${split("oidc-provider/", one.provider_arn)[1]}:sub" = one.subject',
    '"${split("oidc-provider/", one.provider_arn)[1]}:azp" = one.subject',
  ),
  identities(
    'an importer for ever',
    'one.until == null ? {} : { DateLessThan = { "aws:CurrentTime" = one.until } }',
    '{}',
  ),
  identities('sessions of a day', 'session_seconds = 3600', 'session_seconds = 86400'),
  identities(
    'keys whose policy nobody can change',
    '{ Bool = { "kms:BypassPolicyLockoutSafetyCheck" = "true" } }',
    '{ Bool = { "kms:BypassPolicyLockoutSafetyCheck" = "false" } }',
  ),
  identities(
    'keys that can be replicated',
    '{ Bool = { "kms:MultiRegion" = "true" } }',
    '{ Bool = { "kms:MultiRegion" = "false" } }',
  ),
  importing(
    'the importer signs with keys of every environment',
    '"aws:ResourceTag/chancery:environment" = var.environment\n    "kms:KeyOrigin"',
    '"kms:KeyOrigin"',
  ),
  importing(
    'the importer signs with keys that KMS made',
    '    "kms:KeyOrigin"                        = "EXTERNAL"\n  }',
    '  }',
  ),
  importing(
    'the importer signs with any algorithm',
    '"kms:SigningAlgorithm" = local.importable_pairs\n',
    '\n',
  ),
  importing('the importer signs digests', '"kms:MessageType"      = "RAW"\n', '\n'),
  importing(
    'the importer generates MACs with any algorithm',
    '"kms:MacAlgorithm" = local.importable_macs\n',
    '\n',
  ),
  importing(
    'the importer signs with the keys of production',
    'Resource = local.imported_arns\n',
    'Resource = []\n',
  ),
  importing(
    'the importer generates MACs with the keys of production',
    '["kms:GenerateMac", "kms:Sign"]',
    '["kms:Sign"]',
  ),
  provisioning('the provisioner gives keys an intent', '"Deny"', '"Allow"'),
  provisioning(
    'the provisioner waits for a request to say false',
    'StringEqualsIfExists        = { "kms:KeyOrigin" = ["AWS_KMS", "EXTERNAL"] }',
    'Bool = { "kms:BypassPolicyLockoutSafetyCheck" = "false" }',
  ),
  provisioning(
    'the provisioner puts any tag on keys that it did not make',
    '"aws:ResourceTag/chancery:environment" = var.environment }\n          "ForAllValues:StringEquals" = { "aws:TagKeys" = local.provisioned_tags }\n',
    '"aws:ResourceTag/chancery:environment" = var.environment }\n',
  ),
  inExample(
    'an alias of two keys',
    'length(distinct(local.names)) == length(local.names)',
    'length(local.names) > 0',
    'outputs.tf',
  ),
  inExample(
    'a rotator of another environment',
    'if duties != "recoverers"',
    'if contains(["signers", "provisioners"], duties)',
    'variables.tf',
  ),
  azure(
    'keys that decrypt',
    'key_opts     = ["sign", "verify"]',
    'key_opts     = ["sign", "verify", "decrypt"]',
  ),
  azure(
    'the rotator signs',
    '"Microsoft.KeyVault/vaults/keys/update/action",',
    '"Microsoft.KeyVault/vaults/keys/update/action", "Microsoft.KeyVault/vaults/keys/sign/action",',
  ),
  azure(
    'roles on the whole vault',
    'azurerm_key_vault_key.generation[each.value.generation].resource_versionless_id',
    'data.azurerm_key_vault.this.id',
  ),
  azure('a retiring generation signs', 'duty == "signers" && !one.may_sign ?', 'false ?'),
  azure(
    'roles of two vaults by one name',
    '"Chancery ${var.key_vault.name} ${var.environment}',
    '"Chancery ${var.environment}',
  ),
  azure(
    'assignments by their place in a list',
    '${local.duties[duty]} ${name}"',
    '${local.duties[duty]} ${index(keys(principals), name)}"',
  ),
  azure(
    'a vault that can be purged',
    'self.purge_protection_enabled',
    'self.purge_protection_enabled || true',
  ),
  azure(
    'a vault with access policies',
    'self.rbac_authorization_enabled',
    'self.rbac_authorization_enabled || true',
  ),
]
