mock_provider "aws" {
  override_during = plan
}

override_resource {
  target          = module.reports.aws_kms_key.generation["2026-09"]
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-central-1:111122223333:key/a" }
}

override_resource {
  target          = module.reports.aws_kms_key.generation["2027-03"]
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-central-1:111122223333:key/b" }
}

override_resource {
  target          = module.documents.aws_kms_key.generation["2026-09"]
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-central-1:111122223333:key/c" }
}

variables {
  first_apply = true
  identities = {
    signers      = ["arn:aws:iam::111122223333:role/chancery/chancery-prod-signer"]
    rotators     = ["arn:aws:iam::111122223333:role/chancery/chancery-prod-rotator"]
    provisioners = ["arn:aws:iam::111122223333:role/chancery/chancery-prod-provisioner"]
    auditors     = ["arn:aws:iam::111122223333:role/chancery/chancery-prod-auditor"]
    recoverers   = ["arn:aws:iam::111122223333:role/break-glass"]
  }
}

run "a_catalogue_of_two_keys" {
  command = plan

  assert {
    condition     = { for name, key in output.key_catalogue.keys : name => { for generation, one in key.generations : generation => one.resource } } == { reports = { "2026-09" = "arn:aws:kms:eu-central-1:111122223333:key/a", "2027-03" = "arn:aws:kms:eu-central-1:111122223333:key/b" }, documents = { "2026-09" = "arn:aws:kms:eu-central-1:111122223333:key/c" } }
    error_message = "each generation has the ARN of its own key"
  }

  assert {
    condition     = output.key_catalogue.environment == "prod" && output.key_catalogue.schema_version == 1
    error_message = "the catalogue is of this environment"
  }
}

run "a_generation_that_is_cut_off_signs_no_more" {
  command = plan
  variables {
    reports_generations = {
      "2026-09" = { state = "retiring" }
      "2027-03" = { state = "enabled" }
    }
  }

  assert {
    condition     = !strcontains(output.policies.reports["2026-09"], "\"Sid\":\"Sign\"") && strcontains(output.policies.reports["2027-03"], "\"Sid\":\"Sign\"")
    error_message = "Sign is taken from the one, and left to the other"
  }
}

run "a_key_without_generations_is_refused" {
  command = plan
  variables {
    reports_generations = {}
  }
  expect_failures = [var.reports_generations]
}

run "every_key_has_aliases_of_its_own" {
  command = plan

  assert {
    condition     = output.aliases == { reports = { "2026-09" = "alias/chancery/prod/reports/2026-09", "2027-03" = "alias/chancery/prod/reports/2027-03" }, documents = { "2026-09" = "alias/chancery/prod/documents/2026-09" } }
    error_message = "by key and generation"
  }
}

run "an_alias_of_two_keys_is_refused" {
  command = plan
  variables {
    reports_generations = {
      "2026-09" = { state = "enabled", name = "documents/2026-09" }
      "2027-03" = { state = "enabled" }
    }
  }
  expect_failures = [output.aliases]
}

run "without_its_catalogue_there_is_no_second_apply" {
  command = plan
  variables {
    first_apply = false
  }
  expect_failures = [var.first_apply]
}

run "another_accounts_identities_are_refused" {
  command = plan
  variables {
    account_id = "444455556666"
  }
  expect_failures = [var.identities]
}

run "another_environments_identities_are_refused" {
  command = plan
  variables {
    environment = "dev"
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
