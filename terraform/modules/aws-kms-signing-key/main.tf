# One KMS key for each generation of a key. What signs, and when, is decided by Chancery's store: Terraform
# says what may.

module "plan" {
  source = "../generation-plan"

  environment        = var.environment
  key                = var.key
  vault_provider     = "aws-kms"
  alg                = var.alg
  modulus_bits       = var.modulus_bits
  spec               = local.key_spec
  generations        = var.generations
  without_enabled    = var.without_enabled
  previous_catalogue = var.previous_catalogue
}

module "policy" {
  source   = "../key-policy-aws"
  for_each = module.plan.generations

  account_id       = var.account_id
  partition        = var.partition
  alg              = var.alg
  origin           = var.origin
  state            = each.value.state
  identities       = var.identities
  account_recovers = var.account_recovers
}

locals {
  # https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
  key_specs = {
    ES256 = "ECC_NIST_P256"
    ES384 = "ECC_NIST_P384"
    ES512 = "ECC_NIST_P521"
    EdDSA = "ECC_NIST_EDWARDS25519"
    HS256 = "HMAC_256"
    HS384 = "HMAC_384"
    HS512 = "HMAC_512"
  }
  key_spec  = module.plan.modulus_bits == null ? local.key_specs[var.alg] : "RSA_${module.plan.modulus_bits}"
  key_usage = startswith(var.alg, "HS") ? "GENERATE_VERIFY_MAC" : "SIGN_VERIFY"

  made  = { for name, one in module.plan.generations : name => one if var.origin == "AWS_KMS" }
  empty = { for name, one in module.plan.generations : name => one if var.origin == "EXTERNAL" }

  descriptions = { for name in keys(module.plan.generations) : name => "Chancery ${var.environment} ${var.key} ${name}" }
  tags = {
    for name in keys(module.plan.generations) : name => merge(var.tags, {
      "chancery:environment" = var.environment
      "chancery:key"         = var.key
      "chancery:generation"  = name
    })
  }

  arns = merge(
    { for name, key in aws_kms_key.generation : name => key.arn },
    { for name, key in aws_kms_external_key.generation : name => key.arn },
  )
}

resource "aws_kms_key" "generation" {
  for_each = local.made

  description              = local.descriptions[each.key]
  customer_master_key_spec = local.key_spec
  key_usage                = local.key_usage
  policy                   = module.policy[each.key].json
  multi_region             = false
  enable_key_rotation      = false # for symmetric keys: a new key pair is a new generation
  deletion_window_in_days  = var.deletion_window_in_days
  tags                     = local.tags[each.key]

  bypass_policy_lockout_safety_check = false

  lifecycle {
    prevent_destroy = true
    ignore_changes  = [is_enabled] # the job disables what was revoked
  }
}

# Empty: material here would end in the state. `key_material_base64` must not be set.
resource "aws_kms_external_key" "generation" {
  for_each = local.empty

  description             = local.descriptions[each.key]
  key_spec                = local.key_spec
  key_usage               = local.key_usage
  policy                  = module.policy[each.key].json
  multi_region            = false
  deletion_window_in_days = var.deletion_window_in_days
  tags                    = local.tags[each.key]

  bypass_policy_lockout_safety_check = false

  lifecycle {
    prevent_destroy = true
    ignore_changes  = [enabled, key_material_base64, valid_to]
  }
}

# For people: one alias per generation. Chancery goes by the ARN alone, and the job never moves an alias, so
# nothing here is to be ignored: one that somebody moved is a change in the next plan. Nobody has UpdateAlias, by
# which Terraform would move it back, so that plan cannot be applied: `apply -replace` deletes it and makes it anew.
resource "aws_kms_alias" "generation" {
  for_each = module.plan.generations

  name          = "alias/chancery/${var.environment}/${each.value.name}"
  target_key_id = local.arns[each.key]
}
