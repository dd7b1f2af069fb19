output "catalogue_key" {
  description = "What the catalogue says of this key: goes into the `keys` of the catalogue module."
  value = {
    environment = var.environment
    vault       = var.vault
    alg         = var.alg
    generations = {
      for name, one in module.plan.generations : name => {
        resource          = azurerm_key_vault_key.generation[name].versionless_id
        state             = one.state
        initial           = one.initial
        public_key_sha256 = one.public_key_sha256
        created           = one.created
      }
    }
  }
}

output "policies" {
  description = "By duty, the custom role; and by generation, who has which, for review."
  value = {
    roles = local.data_actions
    assignments = {
      for generation in keys(module.plan.generations) : generation => [
        for one in values(local.assignments) : { principal = one.principal, role = one.role } if one.generation == generation
      ]
    }
  }
}
