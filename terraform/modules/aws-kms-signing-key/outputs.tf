output "catalogue_key" {
  description = "What the catalogue says of this key: goes into the `keys` of the catalogue module."
  value = {
    environment = var.environment
    vault       = var.vault
    alg         = var.alg
    spec        = local.key_spec
    generations = {
      for name, one in module.plan.generations : name => {
        resource          = local.arns[name]
        state             = one.state
        initial           = one.initial
        public_key_sha256 = one.public_key_sha256
        created           = one.created
      }
    }
  }
}

output "policies" {
  description = "By generation, the policy of its KMS key."
  value       = { for name, policy in module.policy : name => policy.json }
}

output "aliases" {
  description = "By generation, the alias of its KMS key, for people."
  value       = { for name, alias in aws_kms_alias.generation : name => alias.name }
}
