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

run "five_duties_less_the_importer" {
  command = plan

  assert {
    condition     = output.role_arns == { for duty in ["auditor", "provisioner", "rotator", "signer"] : duty => "arn:aws:iam::111122223333:role/chancery/chancery-prod-${duty}" }
    error_message = "each duty has its role, and nobody imports where nothing is said"
  }

  assert {
    condition     = output.key_identities.signers == ["arn:aws:iam::111122223333:role/chancery/chancery-prod-signer"] && output.key_identities.recoverers == tolist(["arn:aws:iam::111122223333:role/break-glass"])
    error_message = "the keys are told who has which duty"
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
    condition     = output.policies.importer.trust.Statement[0].Condition.DateLessThan == { "aws:CurrentTime" = "2026-09-30T18:00:00Z" }
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

run "nobody_to_recover_is_refused" {
  command = plan
  variables {
    recoverers = []
  }
  expect_failures = [var.recoverers]
}
