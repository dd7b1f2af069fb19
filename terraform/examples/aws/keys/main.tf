# Two keys, one catalogue. The provisioner applies this; who may what with the keys comes from the identities:
#
#     terraform -chdir=../identities output -json key_identities | jq '{identities: .}' > identities.auto.tfvars.json
#     terraform apply -var first_apply=true && terraform output -json key_catalogue > catalogue.json
#
# From then on catalogue.json is committed beside this, and first_apply left out.

locals {
  catalogue_file     = "${path.module}/catalogue.json"
  previous_catalogue = fileexists(local.catalogue_file) ? jsondecode(file(local.catalogue_file)) : null

  # KMS has an alias once in a region, whichever key it is of.
  aliases = { reports = module.reports.aliases, documents = module.documents.aliases }
  names   = flatten([for of in values(local.aliases) : values(of)])
}

# JWTs with PS256: one generation signs, the next one stands by.
module "reports" {
  source = "../../../modules/aws-kms-signing-key"

  environment        = var.environment
  key                = "reports"
  alg                = "PS256"
  account_id         = var.account_id
  identities         = var.identities
  previous_catalogue = local.previous_catalogue
  generations        = var.reports_generations
}

# Signatures over plain bytes.
module "documents" {
  source = "../../../modules/aws-kms-signing-key"

  environment        = var.environment
  key                = "documents"
  alg                = "ES256"
  account_id         = var.account_id
  identities         = var.identities
  previous_catalogue = local.previous_catalogue
  generations        = { "2026-09" = { state = "enabled" } }
}

module "catalogue" {
  source = "../../../modules/catalogue"

  environment        = var.environment
  previous_catalogue = local.previous_catalogue
  first_apply        = var.first_apply
  keys = {
    reports   = module.reports.catalogue_key
    documents = module.documents.catalogue_key
  }
}
