# Pure: what is asked of a key's generations, checked, and what follows for each of them.

locals {
  states = ["pending", "enabled", "retiring", "disabled"]

  known_algorithms = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
    "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512",
  ]

  # As text these sort as the dates do, and Chancery numbers versions in that order.
  sortable = "^[0-9]{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?$"

  # AWS aliases have folders, Key Vault names do not.
  prefix = var.vault_provider == "aws-kms" ? "${var.key}/" : "${var.key}-"

  names = {
    for generation, one in var.generations :
    generation => coalesce(one.name, "${local.prefix}${generation}")
  }

  previous_key = try(var.previous_catalogue.keys[var.key], null)
  previous     = try(local.previous_key.generations, {})
}
