mock_provider "aws" {
  override_during = plan
}

override_resource {
  target          = aws_kms_key.generation
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-central-1:111122223333:key/0b6a" }
}

override_resource {
  target          = aws_kms_external_key.generation
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-central-1:111122223333:key/1c7b" }
}

variables {
  environment = "prod"
  key         = "reports"
  alg         = "PS256"
  account_id  = "111122223333"
  generations = {
    "2026-09" = { state = "enabled", initial = true, created = "2026-09-01" }
    "2027-03" = { state = "pending" }
  }
  identities = {
    signers      = ["arn:aws:iam::111122223333:role/chancery/signer"]
    rotators     = ["arn:aws:iam::111122223333:role/chancery/rotator"]
    provisioners = ["arn:aws:iam::111122223333:role/chancery/provisioner"]
    recoverers   = ["arn:aws:iam::111122223333:role/break-glass"]
  }
}

run "one_sign_only_key_per_generation" {
  command = plan

  assert {
    condition     = keys(aws_kms_key.generation) == ["2026-09", "2027-03"] && length(aws_kms_external_key.generation) == 0
    error_message = "each generation has a KMS key of its own"
  }

  assert {
    condition     = alltrue([for key in values(aws_kms_key.generation) : key.key_usage == "SIGN_VERIFY" && key.customer_master_key_spec == "RSA_3072"])
    error_message = "they sign, and do nothing else"
  }

  assert {
    condition     = alltrue([for key in values(aws_kms_key.generation) : !key.multi_region && !key.enable_key_rotation && !key.bypass_policy_lockout_safety_check])
    error_message = "not copied to other regions, not rotated by KMS, and with the lockout check on"
  }

  assert {
    condition     = alltrue([for key in values(aws_kms_key.generation) : key.deletion_window_in_days == 30])
    error_message = "a deletion waits as long as KMS allows"
  }

  assert {
    condition     = aws_kms_key.generation["2026-09"].tags == tomap({ "chancery:environment" = "prod", "chancery:key" = "reports", "chancery:generation" = "2026-09" })
    error_message = "keys say whose they are"
  }

  assert {
    condition     = strcontains(aws_kms_key.generation["2026-09"].policy, "\"Sid\":\"Sign\"") && !strcontains(aws_kms_key.generation["2027-03"].policy, "\"Sid\":\"Sign\"")
    error_message = "an enabled generation may sign, a pending one may not"
  }

  assert {
    condition     = output.aliases == { "2026-09" = "alias/chancery/prod/reports/2026-09", "2027-03" = "alias/chancery/prod/reports/2027-03" }
    error_message = "each has an alias of its own, for people"
  }

  assert {
    condition     = jsonencode(output.catalogue_key.generations["2026-09"]) == jsonencode({ resource = "arn:aws:kms:eu-central-1:111122223333:key/0b6a", state = "enabled", initial = true, created = "2026-09-01", public_key_sha256 = null })
    error_message = "the catalogue has the key's ARN, never its alias"
  }

  assert {
    condition     = output.catalogue_key.vault == "aws" && output.catalogue_key.alg == "PS256" && output.catalogue_key.environment == "prod" && output.catalogue_key.spec == "RSA_3072"
    error_message = "the catalogue says the vault and the algorithm"
  }
}

run "contentful_takes_4096_bits" {
  command = plan
  variables {
    alg          = "RS256"
    modulus_bits = 4096
  }

  assert {
    condition     = alltrue([for key in values(aws_kms_key.generation) : key.customer_master_key_spec == "RSA_4096"])
    error_message = "the size is what was asked"
  }
}

run "a_curve" {
  command = plan
  variables {
    alg = "ES512"
  }

  assert {
    condition     = alltrue([for key in values(aws_kms_key.generation) : key.customer_master_key_spec == "ECC_NIST_P521" && key.key_usage == "SIGN_VERIFY"])
    error_message = "ES512 signs with P-521"
  }
}

run "ed25519" {
  command = plan
  variables {
    alg = "EdDSA"
  }

  assert {
    condition     = alltrue([for key in values(aws_kms_key.generation) : key.customer_master_key_spec == "ECC_NIST_EDWARDS25519"])
    error_message = "EdDSA signs with Ed25519"
  }
}

run "hmac" {
  command = plan
  variables {
    alg = "HS512"
  }

  assert {
    condition     = alltrue([for key in values(aws_kms_key.generation) : key.customer_master_key_spec == "HMAC_512" && key.key_usage == "GENERATE_VERIFY_MAC"])
    error_message = "HS512 generates MACs, and does nothing else"
  }
}

run "an_empty_key_for_material_from_outside" {
  command = plan
  variables {
    origin          = "EXTERNAL"
    generations     = { "2026-09" = { state = "pending" } }
    without_enabled = true
    identities = {
      signers      = ["arn:aws:iam::111122223333:role/chancery/signer"]
      importers    = ["arn:aws:iam::111122223333:role/chancery/importer"]
      provisioners = ["arn:aws:iam::111122223333:role/chancery/provisioner"]
      recoverers   = ["arn:aws:iam::111122223333:role/break-glass"]
    }
  }

  assert {
    condition     = length(aws_kms_key.generation) == 0 && aws_kms_external_key.generation["2026-09"].key_spec == "RSA_3072" && aws_kms_external_key.generation["2026-09"].key_usage == "SIGN_VERIFY"
    error_message = "the key is empty, and for signing only"
  }

  assert {
    condition     = aws_kms_external_key.generation["2026-09"].key_material_base64 == null && aws_kms_external_key.generation["2026-09"].valid_to == null && !aws_kms_external_key.generation["2026-09"].multi_region && !aws_kms_external_key.generation["2026-09"].bypass_policy_lockout_safety_check
    error_message = "no material goes through Terraform, and none expires"
  }

  assert {
    condition     = strcontains(aws_kms_external_key.generation["2026-09"].policy, "kms:ImportKeyMaterial")
    error_message = "the importer may fill it"
  }

  assert {
    condition     = output.catalogue_key.generations["2026-09"].resource == "arn:aws:kms:eu-central-1:111122223333:key/1c7b"
    error_message = "the catalogue has the empty key's ARN"
  }
}

run "a_signer_that_is_also_a_rotator_is_refused" {
  command = plan
  variables {
    identities = {
      signers      = ["arn:aws:iam::111122223333:role/chancery/signer"]
      rotators     = ["arn:aws:iam::111122223333:role/chancery/signer"]
      provisioners = ["arn:aws:iam::111122223333:role/chancery/provisioner"]
      recoverers   = ["arn:aws:iam::111122223333:role/break-glass"]
    }
  }
  expect_failures = [var.identities]
}

run "keys_that_nobody_could_repair_are_refused" {
  command = plan
  variables {
    identities = {
      signers      = ["arn:aws:iam::111122223333:role/chancery/signer"]
      provisioners = ["arn:aws:iam::111122223333:role/chancery/provisioner"]
    }
  }
  expect_failures = [var.account_recovers]
}

run "the_account_recovers_where_that_was_chosen" {
  command = plan
  variables {
    account_recovers = true
    identities = {
      signers      = ["arn:aws:iam::111122223333:role/chancery/signer"]
      provisioners = ["arn:aws:iam::111122223333:role/chancery/provisioner"]
    }
  }

  assert {
    condition     = strcontains(aws_kms_key.generation["2026-09"].policy, "arn:aws:iam::111122223333:root")
    error_message = "the choice reaches the policy"
  }
}

run "named_people_and_the_whole_account_are_refused" {
  command = plan
  variables {
    account_recovers = true
  }
  expect_failures = [var.account_recovers]
}

run "a_wrong_algorithm_is_refused" {
  command = plan
  variables {
    alg = "RS1"
  }
  expect_failures = [var.alg]
}

run "no_generation_is_refused" {
  command = plan
  variables {
    generations = {}
  }
  expect_failures = [var.generations]
}

run "a_short_wait_before_a_deletion_is_refused" {
  command = plan
  variables {
    deletion_window_in_days = 1
  }
  expect_failures = [var.deletion_window_in_days]
}

run "a_tag_that_is_ours_is_refused" {
  command = plan
  variables {
    tags = { "chancery:key" = "another" }
  }
  expect_failures = [var.tags]
}

run "a_size_that_kms_does_not_make_is_refused" {
  command = plan
  variables {
    modulus_bits = 1024
  }
  expect_failures = [var.modulus_bits]
}

run "an_unknown_origin_is_refused" {
  command = plan
  variables {
    origin = "EXTERNAL_KEY_STORE"
  }
  expect_failures = [var.origin]
}

run "a_vault_name_that_no_vault_can_have_is_refused" {
  command = plan
  variables {
    vault = "AWS!"
  }
  expect_failures = [var.vault]
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

run "an_account_of_another_form_is_refused" {
  command = plan
  variables {
    account_id = "acme"
  }
  expect_failures = [var.account_id]
}

run "an_unknown_partition_is_refused" {
  command = plan
  variables {
    partition = "azure"
  }
  expect_failures = [var.partition]
}
