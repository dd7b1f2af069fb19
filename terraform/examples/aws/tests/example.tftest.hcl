mock_provider "aws" {
  override_during = plan
}

override_resource {
  target          = module.identities.aws_iam_role.duty["signer"]
  override_during = plan
  values          = { arn = "arn:aws:iam::111122223333:role/chancery/chancery-prod-signer" }
}

override_resource {
  target          = module.identities.aws_iam_role.duty["rotator"]
  override_during = plan
  values          = { arn = "arn:aws:iam::111122223333:role/chancery/chancery-prod-rotator" }
}

override_resource {
  target          = module.identities.aws_iam_role.duty["auditor"]
  override_during = plan
  values          = { arn = "arn:aws:iam::111122223333:role/chancery/chancery-prod-auditor" }
}

override_resource {
  target          = module.identities.aws_iam_role.duty["provisioner"]
  override_during = plan
  values          = { arn = "arn:aws:iam::111122223333:role/chancery/chancery-prod-provisioner" }
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
    condition     = !strcontains(output.policies.keys.reports["2026-09"], "\"Sid\":\"Sign\"") && strcontains(output.policies.keys.reports["2027-03"], "\"Sid\":\"Sign\"")
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

run "nobody_imports_but_for_a_time" {
  command = plan

  assert {
    condition     = !contains(keys(output.role_arns), "importer")
    error_message = "there is no importer where nothing is said"
  }
}

run "somebody_imports_until_then" {
  command = plan
  variables {
    importer_until = "2026-09-30T18:00:00Z"
  }

  override_resource {
    target          = module.identities.aws_iam_role.duty["importer"]
    override_during = plan
    values          = { arn = "arn:aws:iam::111122223333:role/chancery/chancery-prod-importer" }
  }

  assert {
    condition     = output.policies.identities.importer.trust.Statement[0].Condition.DateLessThan == { "aws:CurrentTime" = "2026-09-30T18:00:00Z" }
    error_message = "the importer's time ends"
  }
}

run "a_time_that_is_none_is_refused" {
  command = plan
  variables {
    importer_until = "tomorrow"
  }
  expect_failures = [var.importer_until]
}
