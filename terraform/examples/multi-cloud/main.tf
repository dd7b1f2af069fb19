# One service in an AWS cluster, keys in two clouds, one catalogue. The roles in AWS are another root's, which an
# administrator applies (../aws/identities); the provisioner applies this:
#
#     terraform -chdir=../aws/identities output -json key_identities | jq '{identities: .}' > identities.auto.tfvars.json
#     terraform apply -var first_apply=true && terraform output -json key_catalogue > catalogue.json
#
# From then on both files are committed beside this, and first_apply left out.

locals {
  catalogue_file     = "${path.module}/catalogue.json"
  previous_catalogue = fileexists(local.catalogue_file) ? jsondecode(file(local.catalogue_file)) : null

  # By duty, the service account that has it: in both clouds the same one.
  duties = { signer = "serve", rotator = "rotate" }
}

# Azure takes the same cluster's tokens.
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
  issuer                    = "https://${var.cluster_issuer}"
  subject                   = "system:serviceaccount:chancery:${each.value}"
  audience                  = ["api://AzureADTokenExchange"]
}

# A Contentful app wants RS256 with 4096 bits.
module "contentful_blog" {
  source = "../../modules/aws-kms-signing-key"

  environment        = var.environment
  key                = "contentful-blog"
  alg                = "RS256"
  modulus_bits       = 4096
  account_id         = var.account_id
  identities         = var.identities
  previous_catalogue = local.previous_catalogue
  generations = {
    "2026-09" = { state = "enabled", initial = true }
    "2027-03" = { state = "enabled" }
  }
}

module "documents" {
  source = "../../modules/azure-key-vault-signing-key"

  environment        = var.environment
  key                = "documents"
  alg                = "ES256"
  key_vault          = { name = var.key_vault_name, resource_group_name = var.resource_group }
  previous_catalogue = local.previous_catalogue
  generations        = { "2026-09" = { state = "enabled" } }
  identities = {
    signers  = { serve = azurerm_user_assigned_identity.duty["signer"].principal_id }
    rotators = { rotate = azurerm_user_assigned_identity.duty["rotator"].principal_id }
  }
}

module "catalogue" {
  source = "../../modules/catalogue"

  environment        = var.environment
  previous_catalogue = local.previous_catalogue
  first_apply        = var.first_apply
  keys = {
    contentful-blog = module.contentful_blog.catalogue_key
    documents       = module.documents.catalogue_key
  }
}
