mock_provider "aws" {
  override_during = plan
}

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
  target          = module.contentful_blog.aws_kms_key.generation["2026-09"]
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-central-1:111122223333:key/a" }
}

override_resource {
  target          = module.contentful_blog.aws_kms_key.generation["2027-03"]
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-central-1:111122223333:key/b" }
}

override_resource {
  target          = module.documents.azurerm_key_vault_key.generation["2026-09"]
  override_during = plan
  values          = { versionless_id = "https://acme-chancery.vault.azure.net/keys/documents-2026-09" }
}

variables {
  first_apply = true
  identities = {
    signers      = ["arn:aws:iam::111122223333:role/chancery/chancery-prod-signer"]
    rotators     = ["arn:aws:iam::111122223333:role/chancery/chancery-prod-rotator"]
    provisioners = ["arn:aws:iam::111122223333:role/chancery/chancery-prod-provisioner"]
    recoverers   = ["arn:aws:iam::111122223333:role/break-glass"]
  }
}

run "one_catalogue_for_two_clouds" {
  command = plan

  assert {
    condition     = { for name, key in output.key_catalogue.keys : name => key.vault } == { contentful-blog = "aws", documents = "azure" }
    error_message = "each key says its vault"
  }

  assert {
    condition     = output.key_catalogue.keys.documents.generations["2026-09"].resource == "https://acme-chancery.vault.azure.net/keys/documents-2026-09" && output.key_catalogue.keys["contentful-blog"].generations["2026-09"].resource == "arn:aws:kms:eu-central-1:111122223333:key/a"
    error_message = "each generation has the name that its own vault gives it"
  }
}

run "without_its_catalogue_there_is_no_second_apply" {
  command = plan
  variables {
    first_apply = false
  }
  expect_failures = [var.first_apply]
}

run "identities_of_another_environment_are_refused" {
  command = plan
  variables {
    environment = "dev"
  }
  expect_failures = [var.identities]
}

run "identities_of_another_account_are_refused" {
  command = plan
  variables {
    account_id = "444455556666"
  }
  expect_failures = [var.identities]
}

run "another_environments_rotator_is_refused" {
  command = plan
  variables {
    identities = {
      signers      = ["arn:aws:iam::111122223333:role/chancery/chancery-prod-signer"]
      rotators     = ["arn:aws:iam::111122223333:role/chancery/chancery-prod-2-rotator"]
      provisioners = ["arn:aws:iam::111122223333:role/chancery/chancery-prod-provisioner"]
      recoverers   = ["arn:aws:iam::111122223333:role/break-glass"]
    }
  }
  expect_failures = [var.identities]
}
