mock_provider "azurerm" {
  override_during = plan
}

override_data {
  target          = data.azurerm_key_vault.this
  override_during = plan
  values = {
    id                         = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/chancery/providers/Microsoft.KeyVault/vaults/acme"
    rbac_authorization_enabled = true
    purge_protection_enabled   = true
    sku_name                   = "premium"
  }
}

override_resource {
  target          = azurerm_key_vault_key.generation
  override_during = plan
  values = {
    versionless_id          = "https://acme.vault.azure.net/keys/documents-2026-09"
    resource_versionless_id = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/chancery/providers/Microsoft.KeyVault/vaults/acme/keys/documents-2026-09"
  }
}

override_resource {
  target          = azurerm_role_definition.duty["signers"]
  override_during = plan
  values          = { role_definition_resource_id = "signer" }
}

override_resource {
  target          = azurerm_role_definition.duty["rotators"]
  override_during = plan
  values          = { role_definition_resource_id = "rotator" }
}

override_resource {
  target          = azurerm_role_definition.duty["auditors"]
  override_during = plan
  values          = { role_definition_resource_id = "auditor" }
}

variables {
  environment = "prod"
  key         = "documents"
  alg         = "ES256"
  key_vault   = { name = "acme", resource_group_name = "chancery" }
  generations = { "2026-09" = { state = "enabled" } }
  identities = {
    signers  = { serve = "00000000-0000-4000-8000-00000000000a" }
    rotators = { rotate = "00000000-0000-4000-8000-00000000000b" }
    auditors = { audit = "00000000-0000-4000-8000-00000000000c" }
  }
}

run "a_key_that_signs_and_verifies_only" {
  command = plan

  assert {
    condition     = azurerm_key_vault_key.generation["2026-09"].name == "documents-2026-09"
    error_message = "a generation has a name of its own, since roles reach names"
  }

  assert {
    condition     = azurerm_key_vault_key.generation["2026-09"].key_opts == tolist(["sign", "verify"])
    error_message = "it signs and verifies, and nothing else"
  }

  assert {
    condition     = length(azurerm_key_vault_key.generation["2026-09"].rotation_policy) == 0
    error_message = "Key Vault makes no versions by itself"
  }

  assert {
    condition     = azurerm_key_vault_key.generation["2026-09"].key_type == "EC" && azurerm_key_vault_key.generation["2026-09"].curve == "P-256" && azurerm_key_vault_key.generation["2026-09"].key_size == null
    error_message = "ES256 signs with P-256"
  }

  assert {
    condition     = azurerm_key_vault_key.generation["2026-09"].tags == tomap({ "chancery:environment" = "prod", "chancery:key" = "documents", "chancery:generation" = "2026-09" })
    error_message = "keys say whose they are"
  }

  assert {
    condition     = { for duty, role in azurerm_role_definition.duty : duty => role.permissions[0].data_actions } == { signers = toset(["Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/sign/action"]), rotators = toset(["Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/update/action"]), auditors = toset(["Microsoft.KeyVault/vaults/keys/read"]) }
    error_message = "the signer signs, the rotator disables, the auditor reads"
  }

  assert {
    condition     = alltrue([for role in values(azurerm_role_definition.duty) : length(role.permissions) == 1 && length(role.permissions[0].actions) == 0 && role.scope == "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/chancery"])
    error_message = "no role manages anything, and none is known beyond the vault's resource group"
  }

  assert {
    condition     = { for one in values(azurerm_role_assignment.duty) : one.principal_id => one.role_definition_id } == { "00000000-0000-4000-8000-00000000000a" = "signer", "00000000-0000-4000-8000-00000000000b" = "rotator", "00000000-0000-4000-8000-00000000000c" = "auditor" }
    error_message = "each principal has its own role"
  }

  assert {
    condition     = jsonencode({ for one in values(azurerm_role_assignment.duty) : one.principal_id => one.principal_type }) == jsonencode({ "00000000-0000-4000-8000-00000000000a" = "ServicePrincipal", "00000000-0000-4000-8000-00000000000b" = "ServicePrincipal", "00000000-0000-4000-8000-00000000000c" = null })
    error_message = "signers and rotators are workloads, auditors may be people"
  }

  assert {
    condition     = keys(azurerm_role_assignment.duty) == ["2026-09 auditor audit", "2026-09 rotator rotate", "2026-09 signer serve"]
    error_message = "an assignment is found by the name of its principal, whoever else comes or goes"
  }

  assert {
    condition     = azurerm_role_definition.duty["signers"].name == "Chancery acme prod documents signer"
    error_message = "roles of two vaults have two names in the directory"
  }

  assert {
    condition     = output.policies["2026-09 signer serve"] == { principal = "00000000-0000-4000-8000-00000000000a", scope = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/chancery/providers/Microsoft.KeyVault/vaults/acme/keys/documents-2026-09", data_actions = tolist(["Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/sign/action"]) }
    error_message = "the review has what is planned"
  }

  assert {
    condition     = output.catalogue_key.spec == "EC P-256"
    error_message = "the catalogue keeps the kind of key"
  }

  assert {
    condition     = alltrue([for one in values(azurerm_role_assignment.duty) : endswith(one.scope, "/vaults/acme/keys/documents-2026-09")])
    error_message = "roles are assigned on the key, never on the vault"
  }

  assert {
    condition     = output.catalogue_key.generations["2026-09"].resource == "https://acme.vault.azure.net/keys/documents-2026-09"
    error_message = "the catalogue has the key id without a version"
  }
}

run "only_an_enabled_generation_may_sign" {
  command = plan
  variables {
    generations = {
      "2026-09" = { state = "retiring" }
      "2027-03" = { state = "enabled" }
      "2027-09" = { state = "pending" }
    }
  }

  assert {
    condition     = toset([for name, one in azurerm_role_assignment.duty : split(" ", name)[0] if one.role_definition_id == "signer"]) == toset(["2027-03"])
    error_message = "a retiring and a pending generation do not sign"
  }

  assert {
    condition     = toset([for name, one in azurerm_role_assignment.duty : split(" ", name)[0] if one.role_definition_id == "auditor" && one.principal_id == "00000000-0000-4000-8000-00000000000a"]) == toset(["2026-09", "2027-09"])
    error_message = "the signer still reads their public halves"
  }
}

run "rsa_in_an_hsm" {
  command = plan
  variables {
    alg        = "PS256"
    protection = "hsm"
  }

  assert {
    condition     = output.catalogue_key.spec == "RSA-HSM 3072" && azurerm_key_vault_key.generation["2026-09"].key_type == "RSA-HSM" && azurerm_key_vault_key.generation["2026-09"].key_size == 3072 && azurerm_key_vault_key.generation["2026-09"].curve == null
    error_message = "RSA-3072, in the HSM"
  }
}

run "a_vault_with_access_policies_is_refused" {
  command = plan
  override_data {
    target          = data.azurerm_key_vault.this
    override_during = plan
    values          = { id = "/subscriptions/s/resourceGroups/g/providers/p/vaults/v", rbac_authorization_enabled = false, purge_protection_enabled = true, sku_name = "premium" }
  }
  expect_failures = [data.azurerm_key_vault.this]
}

run "a_vault_without_purge_protection_is_refused" {
  command = plan
  override_data {
    target          = data.azurerm_key_vault.this
    override_during = plan
    values          = { id = "/subscriptions/s/resourceGroups/g/providers/p/vaults/v", rbac_authorization_enabled = true, purge_protection_enabled = false, sku_name = "premium" }
  }
  expect_failures = [data.azurerm_key_vault.this]
}

run "an_hsm_key_in_a_standard_vault_is_refused" {
  command = plan
  variables {
    protection = "hsm"
  }
  override_data {
    target          = data.azurerm_key_vault.this
    override_during = plan
    values          = { id = "/subscriptions/s/resourceGroups/g/providers/p/vaults/v", rbac_authorization_enabled = true, purge_protection_enabled = true, sku_name = "standard" }
  }
  expect_failures = [data.azurerm_key_vault.this]
}

run "hs256_is_refused" {
  command = plan
  variables {
    alg = "HS256"
  }
  expect_failures = [var.alg]
}

run "eddsa_is_refused" {
  command = plan
  variables {
    alg = "EdDSA"
  }
  expect_failures = [var.alg]
}

run "a_signer_that_is_also_a_rotator_is_refused" {
  command = plan
  variables {
    identities = {
      signers  = { serve = "00000000-0000-4000-8000-00000000000a" }
      rotators = { rotate = "00000000-0000-4000-8000-00000000000a" }
    }
  }
  expect_failures = [var.identities]
}

run "a_principal_with_two_duties_is_refused" {
  command = plan
  variables {
    identities = {
      signers  = { serve = "00000000-0000-4000-8000-00000000000a" }
      auditors = { audit = "00000000-0000-4000-8000-00000000000a" }
    }
  }
  expect_failures = [var.identities]
}

run "no_signer_is_refused" {
  command = plan
  variables {
    identities = { signers = {} }
  }
  expect_failures = [var.identities]
}

run "a_name_of_a_principal_that_is_no_address_is_refused" {
  command = plan
  variables {
    identities = { signers = { "the service" = "00000000-0000-4000-8000-00000000000a" } }
  }
  expect_failures = [var.identities]
}

run "a_principal_by_name_is_refused" {
  command = plan
  variables {
    identities = { signers = { serve = "chancery-serve" } }
  }
  expect_failures = [var.identities]
}

run "a_vault_url_is_refused" {
  command = plan
  variables {
    key_vault = { name = "https://acme.vault.azure.net", resource_group_name = "chancery" }
  }
  expect_failures = [var.key_vault]
}

run "an_unknown_protection_is_refused" {
  command = plan
  variables {
    protection = "cloud"
  }
  expect_failures = [var.protection]
}

run "no_generation_is_refused" {
  command = plan
  variables {
    generations = {}
  }
  expect_failures = [var.generations]
}

run "a_size_that_no_vault_makes_is_refused" {
  command = plan
  variables {
    alg          = "PS256"
    modulus_bits = 1024
  }
  expect_failures = [var.modulus_bits]
}

run "an_environment_that_none_can_have_is_refused" {
  command = plan
  variables {
    environment = "Prod!"
  }
  expect_failures = [var.environment]
}

run "a_key_name_that_no_key_can_have_is_refused" {
  command = plan
  variables {
    key = "Reports"
  }
  expect_failures = [var.key]
}

run "a_vault_name_that_no_vault_can_have_is_refused" {
  command = plan
  variables {
    vault = "Azure!"
  }
  expect_failures = [var.vault]
}

run "without_enabled_is_not_left_on" {
  command = plan
  variables {
    without_enabled = true
  }
  expect_failures = [var.without_enabled]
}

run "another_environments_catalogue_is_refused" {
  command = plan
  variables {
    previous_catalogue = { environment = "dev", keys = {} }
  }
  expect_failures = [var.previous_catalogue]
}

run "a_tag_that_is_ours_is_refused" {
  command = plan
  variables {
    tags = { "chancery:key" = "another" }
  }
  expect_failures = [var.tags]
}

run "a_catalogue_that_protects_nothing_is_refused" {
  command = plan
  variables {
    previous_catalogue = { environment = "prod" }
  }
  expect_failures = [var.previous_catalogue]
}
