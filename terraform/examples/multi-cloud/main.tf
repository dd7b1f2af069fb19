# One service in an AWS cluster, keys in two clouds, one catalogue:
#
#     terraform apply -var first_apply=true && terraform output -json key_catalogue > catalogue.json
#
# From then on catalogue.json is committed beside this, and first_apply left out.

locals {
  issuers = "arn:aws:iam::${var.account_id}:oidc-provider"
  cluster = "${local.issuers}/${var.cluster_issuer}"

  catalogue_file     = "${path.module}/catalogue.json"
  previous_catalogue = fileexists(local.catalogue_file) ? jsondecode(file(local.catalogue_file)) : null

  # By duty, the service account that has it: in both clouds the same one.
  duties = { signer = "serve", rotator = "rotate" }
}

module "identities" {
  source = "../../modules/aws-identities"

  environment = var.environment
  account_id  = var.account_id
  region      = var.region
  recoverers  = var.recoverers
  trust = merge(
    { for duty, account in local.duties : duty => { provider_arn = local.cluster, subject = "system:serviceaccount:chancery:${account}" } },
    { provisioner = { provider_arn = "${local.issuers}/token.actions.githubusercontent.com", subject = "repo:acme/infrastructure:environment:${var.environment}" } },
  )
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
  identities         = module.identities.key_identities
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
