# Nobody applies this: the tests render every policy from it, one file for each identity in ../../policies.

terraform {
  required_version = ">= 1.11"
  required_providers {
    aws     = { source = "hashicorp/aws" }
    azurerm = { source = "hashicorp/azurerm" }
  }
}

provider "aws" {
  region = "eu-central-1"
}

provider "azurerm" {
  features {}
}

locals {
  account_id = "111122223333"
  cluster    = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E"

  # Every state of a generation, and every kind of key.
  keys = {
    "PS256 pending"          = { alg = "PS256", state = "pending", origin = "AWS_KMS" }
    "PS256 enabled"          = { alg = "PS256", state = "enabled", origin = "AWS_KMS" }
    "PS256 retiring"         = { alg = "PS256", state = "retiring", origin = "AWS_KMS" }
    "PS256 disabled"         = { alg = "PS256", state = "disabled", origin = "AWS_KMS" }
    "EdDSA enabled"          = { alg = "EdDSA", state = "enabled", origin = "AWS_KMS" }
    "HS256 enabled"          = { alg = "HS256", state = "enabled", origin = "AWS_KMS" }
    "RS256 EXTERNAL pending" = { alg = "RS256", state = "pending", origin = "EXTERNAL" }
    "RS256 EXTERNAL enabled" = { alg = "RS256", state = "enabled", origin = "EXTERNAL" }
  }
}

module "identities" {
  source = "../../modules/aws-identities"

  environment = "prod"
  account_id  = local.account_id
  region      = "eu-central-1"
  recoverers  = ["arn:aws:iam::111122223333:role/break-glass"]
  trust = {
    signer      = { provider_arn = local.cluster, subject = "system:serviceaccount:chancery:serve" }
    rotator     = { provider_arn = local.cluster, subject = "system:serviceaccount:chancery:rotate" }
    importer    = { provider_arn = local.cluster, subject = "system:serviceaccount:chancery:import", until = "2026-09-30T18:00:00Z" }
    auditor     = { provider_arn = local.cluster, subject = "system:serviceaccount:chancery:audit" }
    provisioner = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com", subject = "repo:acme/infrastructure:environment:prod" }
  }
  imported_keys = {
    "github-bot@1" = { arn = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-4000-8000-0000000000a1", alg = "RS256" }
    "face-sdk@1"   = { arn = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-4000-8000-0000000000a2", alg = "HS256" }
  }
}

module "key_policy" {
  source   = "../../modules/key-policy-aws"
  for_each = local.keys

  account_id = local.account_id
  alg        = each.value.alg
  state      = each.value.state
  origin     = each.value.origin
  identities = module.identities.key_identities
}

module "documents" {
  source = "../../modules/azure-key-vault-signing-key"

  environment     = "prod"
  key             = "documents"
  alg             = "ES256"
  key_vault       = { name = "acme-chancery", resource_group_name = "chancery" }
  without_enabled = false
  generations = {
    "2026-03" = { state = "disabled" }
    "2026-09" = { state = "retiring" }
    "2027-03" = { state = "enabled" }
    "2027-09" = { state = "pending" }
  }
  identities = {
    signers  = { serve = "00000000-0000-4000-8000-00000000000a" }
    rotators = { rotate = "00000000-0000-4000-8000-00000000000b" }
    auditors = { audit = "00000000-0000-4000-8000-00000000000c" }
  }
}

output "aws" {
  description = "By identity, trust and policy; by kind of key, its policy."
  value = {
    identities = module.identities.policies
    keys       = { for name, policy in module.key_policy : name => jsondecode(policy.json) }
  }
}
