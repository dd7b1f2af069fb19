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
    condition     = output.policies.documents.assignments["2026-09"] == [{ principal = "00000000-0000-4000-8000-00000000000c", role = "auditors" }, { principal = "00000000-0000-4000-8000-00000000000b", role = "rotators" }, { principal = "00000000-0000-4000-8000-00000000000a", role = "signers" }]
    error_message = "the review shows who may do what"
  }
}
