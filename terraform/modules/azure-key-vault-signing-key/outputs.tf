output "catalogue_key" {
  description = "What the catalogue says of this key: goes into the `keys` of the catalogue module."
  value = {
    environment = var.environment
    vault       = var.vault
    alg         = var.alg
    spec        = local.spec
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
  description = "By role assignment as it is planned: who may what, on which key; for review."
  value = {
    for address, one in azurerm_role_assignment.duty : address => {
      principal    = one.principal_id
      scope        = one.scope
      data_actions = sort(azurerm_role_definition.duty[local.assignments[address].role].permissions[0].data_actions)
    }
  }
}
