# Who may what: five duties for a cluster and a CI system. An administrator applies this, as it makes roles; the
# keys are another root, which the provisioner applies with no right over any role.
#
#     terraform apply && terraform output -json key_identities

locals {
  issuers = "arn:aws:iam::${var.account_id}:oidc-provider"
  cluster = "${local.issuers}/${var.cluster_issuer}"
}

module "identities" {
  source = "../../../modules/aws-identities"

  environment = var.environment
  account_id  = var.account_id
  region      = var.region
  recoverers  = var.recoverers
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
