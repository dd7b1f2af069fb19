# Five duties for a cluster and a CI system, two keys, one catalogue:
#
#     terraform apply && terraform output -json key_catalogue > catalogue.json

locals {
  issuers = "arn:aws:iam::${var.account_id}:oidc-provider"
  cluster = "${local.issuers}/${var.cluster_issuer}"

  catalogue_file     = "${path.module}/catalogue.json"
  previous_catalogue = fileexists(local.catalogue_file) ? jsondecode(file(local.catalogue_file)) : null
}

module "identities" {
  source = "../../modules/aws-identities"

  environment = var.environment
  account_id  = var.account_id
  region      = var.region
  trust = merge(
    {
      signer      = { provider_arn = local.cluster, subject = "system:serviceaccount:chancery:serve" }
      rotator     = { provider_arn = local.cluster, subject = "system:serviceaccount:chancery:rotate" }
      auditor     = { provider_arn = local.cluster, subject = "system:serviceaccount:chancery:audit" }
      provisioner = { provider_arn = "${local.issuers}/token.actions.githubusercontent.com", subject = "repo:acme/infrastructure:environment:${var.environment}" }
    },
    var.importer_until == null ? {} : {
      importer = { provider_arn = local.cluster, subject = "system:serviceaccount:chancery:import", until = var.importer_until }
    },
  )
}

# JWTs with PS256: one generation signs, the next one stands by.
module "reports" {
  source = "../../modules/aws-kms-signing-key"

  environment        = var.environment
  key                = "reports"
  alg                = "PS256"
  account_id         = var.account_id
  identities         = module.identities.key_identities
  previous_catalogue = local.previous_catalogue
  generations        = var.reports_generations
}

# Signatures over plain bytes.
module "documents" {
  source = "../../modules/aws-kms-signing-key"

  environment        = var.environment
  key                = "documents"
  alg                = "ES256"
  account_id         = var.account_id
  identities         = module.identities.key_identities
  previous_catalogue = local.previous_catalogue
  generations        = { "2026-09" = { state = "enabled" } }
}

module "catalogue" {
  source = "../../modules/catalogue"

  environment = var.environment
  keys = {
    reports   = module.reports.catalogue_key
    documents = module.documents.catalogue_key
  }
}
