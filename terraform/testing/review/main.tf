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

  # By a generation's name, its state: every one of them for one kind of key.
  states = { "2026-03" = "disabled", "2026-09" = "retiring", "2027-03" = "enabled", "2027-09" = "pending" }

  # Every kind of key.
  keys = {
    ps256    = { alg = "PS256", origin = "AWS_KMS", generations = ["2026-03", "2026-09", "2027-03", "2027-09"] }
    eddsa    = { alg = "EdDSA", origin = "AWS_KMS", generations = ["2027-03"] }
    hs256    = { alg = "HS256", origin = "AWS_KMS", generations = ["2027-03"] }
    imported = { alg = "RS256", origin = "EXTERNAL", generations = ["2027-03", "2027-09"] }
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

module "key" {
  source   = "../../modules/aws-kms-signing-key"
  for_each = local.keys

  environment = "prod"
  key         = each.key
  alg         = each.value.alg
  origin      = each.value.origin
  account_id  = local.account_id
  identities  = module.identities.key_identities
  generations = { for name in each.value.generations : name => { state = local.states[name] } }
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

output "states" {
  description = "By a generation's name, its state, as the files of policies call them."
  value       = local.states
}
