mock_provider "azurerm" {
  override_during = plan
}

override_data {
  target          = module.documents.data.azurerm_key_vault.this
  override_during = plan
  values = {
    id                         = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/chancery/providers/Microsoft.KeyVault/vaults/acme-chancery"
    rbac_authorization_enabled = true
    purge_protection_enabled   = true
    sku_name                   = "standard"
  }
}

override_resource {
  target          = azurerm_user_assigned_identity.duty["signer"]
  override_during = plan
  values          = { principal_id = "00000000-0000-4000-8000-00000000000a" }
}

override_resource {
  target          = azurerm_user_assigned_identity.duty["rotator"]
  override_during = plan
  values          = { principal_id = "00000000-0000-4000-8000-00000000000b" }
}

override_resource {
  target          = azurerm_user_assigned_identity.duty["auditor"]
  override_during = plan
  values          = { principal_id = "00000000-0000-4000-8000-00000000000c" }
}

override_resource {
  target          = module.documents.azurerm_key_vault_key.generation["2026-09"]
  override_during = plan
  values          = { versionless_id = "https://acme-chancery.vault.azure.net/keys/documents-2026-09" }
}

override_resource {
  target          = module.documents.azurerm_key_vault_key.generation["2027-03"]
  override_during = plan
  values          = { versionless_id = "https://acme-chancery.vault.azure.net/keys/documents-2027-03" }
}

variables {
  first_apply = true
}

run "a_catalogue_of_one_key" {
  command = plan

  assert {
    condition     = { for generation, one in output.key_catalogue.keys.documents.generations : generation => [one.resource, one.state] } == { "2026-09" = ["https://acme-chancery.vault.azure.net/keys/documents-2026-09", "enabled"], "2027-03" = ["https://acme-chancery.vault.azure.net/keys/documents-2027-03", "pending"] }
    error_message = "each generation has the id of its own key, without a version"
  }

  assert {
    condition     = toset([for one in values(azurerm_federated_identity_credential.duty) : one.subject]) == toset(["system:serviceaccount:chancery:serve", "system:serviceaccount:chancery:rotate", "system:serviceaccount:chancery:audit"])
    error_message = "one service account for each duty"
  }

  assert {
    condition     = { for address, one in output.policies.documents : address => one.data_actions if one.principal == "00000000-0000-4000-8000-00000000000a" } == { "2026-09 signer serve" = tolist(["Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/sign/action"]), "2027-03 signer serve" = tolist(["Microsoft.KeyVault/vaults/keys/read"]) }
    error_message = "the review shows who may do what"
  }
}

run "without_its_catalogue_there_is_no_second_apply" {
  command = plan
  variables {
    first_apply = false
  }
  expect_failures = [var.first_apply]
}
