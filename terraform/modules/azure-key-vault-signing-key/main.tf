# One Key Vault key *name* for each generation of a key, since Azure's roles reach a name and not a version.
# What signs, and when, is decided by Chancery's store: Terraform says what may.

data "azurerm_key_vault" "this" {
  name                = var.key_vault.name
  resource_group_name = var.key_vault.resource_group_name

  lifecycle {
    postcondition {
      condition     = self.rbac_authorization_enabled
      error_message = "The Key Vault goes by access policies, which reach every key at once: set rbac_authorization_enabled = true on it."
    }

    postcondition {
      condition     = self.purge_protection_enabled
      error_message = "A deleted key could be purged at once: set purge_protection_enabled = true on the Key Vault."
    }

    postcondition {
      condition     = var.protection == "software" || self.sku_name == "premium"
      error_message = "Only a premium Key Vault keeps keys in an HSM: set sku_name = \"premium\" on it, or protection = \"software\" here."
    }
  }
}

module "plan" {
  source = "../generation-plan"

  environment        = var.environment
  key                = var.key
  vault_provider     = "azure-key-vault"
  alg                = var.alg
  modulus_bits       = var.modulus_bits
  spec               = local.spec
  generations        = var.generations
  without_enabled    = var.without_enabled
  previous_catalogue = var.previous_catalogue
}

locals {
  # https://learn.microsoft.com/en-us/azure/key-vault/keys/about-keys-details
  curves = { ES256 = "P-256", ES384 = "P-384", ES512 = "P-521" }
  family = module.plan.modulus_bits == null ? "EC" : "RSA"
  kind   = var.protection == "hsm" ? "${local.family}-HSM" : local.family
  curve  = lookup(local.curves, var.alg, null)
  spec   = "${local.kind} ${coalesce(local.curve, tostring(module.plan.modulus_bits))}"

  # A custom role cannot be made for one key, only assigned on it.
  resource_group = join("/", slice(split("/", data.azurerm_key_vault.this.id), 0, 5))

  # https://learn.microsoft.com/en-us/azure/role-based-access-control/permissions/security#microsoftkeyvault
  data_actions = {
    signers = [
      "Microsoft.KeyVault/vaults/keys/read",
      "Microsoft.KeyVault/vaults/keys/sign/action",
    ]
    # `update` is how Key Vault disables a version.
    rotators = [
      "Microsoft.KeyVault/vaults/keys/read",
      "Microsoft.KeyVault/vaults/keys/update/action",
    ]
    auditors = [
      "Microsoft.KeyVault/vaults/keys/read",
    ]
  }
  duties = { signers = "signer", rotators = "rotator", auditors = "auditor" }

  # By the name that you gave a principal: the id of an identity that is yet to be made is not known when this
  # is planned, and a place in a list would change when one before it goes.
  # A signer of a generation that may not sign keeps what an auditor has: the public half.
  assignments = merge([
    for generation, one in module.plan.generations : merge([
      for duty, principals in var.identities : {
        for name, principal in principals : "${generation} ${local.duties[duty]} ${name}" => {
          generation = generation
          role       = duty == "signers" && !one.may_sign ? "auditors" : duty
          principal  = principal
          # Of a workload that was made a moment ago Azure's directory knows nothing yet, unless it is told what it is.
          kind = duty == "auditors" ? null : "ServicePrincipal"
        }
      }
    ]...)
  ]...)
}

resource "azurerm_key_vault_key" "generation" {
  for_each = module.plan.generations

  name         = each.value.name
  key_vault_id = data.azurerm_key_vault.this.id
  key_type     = local.kind
  key_size     = module.plan.modulus_bits
  curve        = local.curve
  key_opts     = ["sign", "verify"] # the whole of what it can do; there is no release policy, so it cannot leave

  tags = merge(var.tags, {
    "chancery:environment" = var.environment
    "chancery:key"         = var.key
    "chancery:generation"  = each.key
  })

  lifecycle {
    prevent_destroy = true
    ignore_changes  = [expiration_date, not_before_date]
  }
}

# The name of a custom role is unique in the whole directory, so it has the vault's name, which is unique in all of Azure.
# https://learn.microsoft.com/azure/role-based-access-control/custom-roles#custom-role-properties
resource "azurerm_role_definition" "duty" {
  for_each = local.data_actions

  name              = "Chancery ${var.key_vault.name} ${var.environment} ${var.key} ${local.duties[each.key]}"
  description       = "Chancery ${var.environment}: what a ${local.duties[each.key]} may do with the keys of ${var.key}"
  scope             = local.resource_group
  assignable_scopes = [local.resource_group]

  permissions {
    actions      = []
    data_actions = each.value
  }
}

resource "azurerm_role_assignment" "duty" {
  for_each = local.assignments

  scope              = azurerm_key_vault_key.generation[each.value.generation].resource_versionless_id
  role_definition_id = azurerm_role_definition.duty[each.value.role].role_definition_resource_id
  principal_id       = each.value.principal
  principal_type     = each.value.kind
  description        = "Chancery ${var.environment} ${var.key} ${each.value.generation}"
}
