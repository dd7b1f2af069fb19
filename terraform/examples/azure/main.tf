# Three identities for a cluster, one key, one catalogue:
#
#     terraform apply -var first_apply=true && terraform output -json key_catalogue > catalogue.json
#
# From then on catalogue.json is committed beside this, and first_apply left out.

locals {
  catalogue_file     = "${path.module}/catalogue.json"
  previous_catalogue = fileexists(local.catalogue_file) ? jsondecode(file(local.catalogue_file)) : null

  # By duty, the service account that has it.
  duties = { signer = "serve", rotator = "rotate", auditor = "audit" }
}

resource "azurerm_user_assigned_identity" "duty" {
  for_each = local.duties

  name                = "chancery-${var.environment}-${each.key}"
  resource_group_name = var.resource_group
  location            = var.location
}

resource "azurerm_federated_identity_credential" "duty" {
  for_each = local.duties

  name                      = "chancery-${var.environment}-${each.key}"
  user_assigned_identity_id = azurerm_user_assigned_identity.duty[each.key].id
  issuer                    = var.cluster_issuer
  subject                   = "system:serviceaccount:chancery:${each.value}"
  audience                  = ["api://AzureADTokenExchange"]
}

module "documents" {
  source = "../../modules/azure-key-vault-signing-key"

  environment        = var.environment
  key                = "documents"
  alg                = "ES256"
  key_vault          = { name = var.key_vault_name, resource_group_name = var.resource_group }
  previous_catalogue = local.previous_catalogue
  generations = {
    "2026-09" = { state = "enabled", initial = true, created = "2026-09-01" }
    "2027-03" = { state = "pending" }
  }
  identities = {
    signers  = { serve = azurerm_user_assigned_identity.duty["signer"].principal_id }
    rotators = { rotate = azurerm_user_assigned_identity.duty["rotator"].principal_id }
    auditors = { audit = azurerm_user_assigned_identity.duty["auditor"].principal_id }
  }
}

module "catalogue" {
  source = "../../modules/catalogue"

  environment        = var.environment
  previous_catalogue = local.previous_catalogue
  first_apply        = var.first_apply
  keys               = { documents = module.documents.catalogue_key }
}
