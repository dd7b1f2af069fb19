variables {
  environment    = "prod"
  key            = "reports"
  vault_provider = "aws-kms"
  alg            = "PS256"
  generations = {
    "2026-09" = { state = "enabled", initial = true }
    "2027-03" = { state = "pending" }
  }
  previous_catalogue = {
    environment = "prod"
    keys        = { reports = { generations = { "2026-09" = { state = "enabled" } } } }
  }
}

run "names_and_states" {
  command = plan

  assert {
    condition     = output.generations["2026-09"].name == "reports/2026-09" && output.generations["2026-09"].may_sign
    error_message = "an enabled generation signs under its own name"
  }

  assert {
    condition     = !output.generations["2027-03"].may_sign
    error_message = "a pending generation may not sign"
  }

  assert {
    condition     = output.modulus_bits == 3072
    error_message = "an RSA key has 3072 bits where nothing is said"
  }
}

run "only_enabled_signs" {
  command = plan
  variables {
    generations = {
      "2026-09" = { state = "retiring" }
      "2027-03" = { state = "disabled" }
      "2027-09" = { state = "enabled" }
    }
  }

  assert {
    condition     = [for name, one in output.generations : name if one.may_sign] == ["2027-09"]
    error_message = "retiring and disabled generations may not sign"
  }
}

run "a_key_vault_has_no_folders" {
  command = plan
  variables {
    vault_provider = "azure-key-vault"
    alg            = "ES256"
  }

  assert {
    condition     = output.generations["2026-09"].name == "reports-2026-09" && output.modulus_bits == null
    error_message = "names in a Key Vault have no slash"
  }
}

run "an_unknown_algorithm_is_refused" {
  command = plan
  variables {
    alg = "RS1"
  }
  expect_failures = [var.alg]
}

run "hs256_in_a_key_vault_is_refused" {
  command = plan
  variables {
    vault_provider = "azure-key-vault"
    alg            = "HS256"
  }
  expect_failures = [var.alg]
}

run "eddsa_in_a_key_vault_is_refused" {
  command = plan
  variables {
    vault_provider = "azure-key-vault"
    alg            = "EdDSA"
  }
  expect_failures = [var.alg]
}

run "an_unknown_vault_is_refused" {
  command = plan
  variables {
    vault_provider = "gcp-kms"
  }
  expect_failures = [var.vault_provider]
}

run "a_size_for_a_curve_is_refused" {
  command = plan
  variables {
    alg          = "ES256"
    modulus_bits = 2048
  }
  expect_failures = [var.modulus_bits]
}

run "a_size_that_no_vault_makes_is_refused" {
  command = plan
  variables {
    modulus_bits = 1024
  }
  expect_failures = [var.modulus_bits]
}

run "no_generation_is_refused" {
  command = plan
  variables {
    generations        = {}
    previous_catalogue = null
    without_enabled    = true
  }
  expect_failures = [var.generations]
}

run "a_name_that_does_not_sort_is_refused" {
  command = plan
  variables {
    generations = {
      "2026-09" = { state = "enabled" }
      "v10"     = { state = "pending" }
    }
  }
  expect_failures = [var.generations]
}

run "an_unknown_state_is_refused" {
  command = plan
  variables {
    generations = {
      "2026-09" = { state = "enabled" }
      "2027-03" = { state = "active" }
    }
  }
  expect_failures = [var.generations]
}

run "a_key_that_cannot_sign_is_refused" {
  command = plan
  variables {
    generations = { "2026-09" = { state = "retiring" } }
  }
  expect_failures = [var.without_enabled]
}

run "a_key_may_be_given_up" {
  command = plan
  variables {
    generations     = { "2026-09" = { state = "disabled" } }
    without_enabled = true
  }

  assert {
    condition     = !output.generations["2026-09"].may_sign
    error_message = "nothing signs with a key that is given up"
  }
}

run "without_enabled_is_not_left_on" {
  command = plan
  variables {
    without_enabled = true
  }
  expect_failures = [var.without_enabled]
}

run "two_initial_generations_are_refused" {
  command = plan
  variables {
    generations = {
      "2026-09" = { state = "enabled", initial = true }
      "2027-03" = { state = "enabled", initial = true }
    }
  }
  expect_failures = [var.generations]
}

run "a_date_of_another_form_is_refused" {
  command = plan
  variables {
    generations = { "2026-09" = { state = "enabled", created = "1 Sept 2026" } }
  }
  expect_failures = [var.generations]
}

run "a_digest_in_hex_is_refused" {
  command = plan
  variables {
    generations = { "2026-09" = { state = "enabled", public_key_sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" } }
  }
  expect_failures = [var.generations]
}

run "a_duplicate_alias_is_refused" {
  command = plan
  variables {
    generations = {
      "2026-09" = { state = "enabled", name = "reports" }
      "2027-03" = { state = "pending", name = "reports" }
    }
  }
  expect_failures = [var.generations]
}

run "a_name_that_no_vault_takes_is_refused" {
  command = plan
  variables {
    generations = { "2026-09" = { state = "enabled", name = "reports 2026" } }
  }
  expect_failures = [var.generations]
}

run "a_removed_generation_is_refused" {
  command = plan
  variables {
    generations = { "2027-03" = { state = "enabled" } }
  }
  expect_failures = [var.generations]
}

run "a_removed_generation_that_is_retiring_is_refused" {
  command = plan
  variables {
    generations = { "2027-03" = { state = "enabled" } }
    previous_catalogue = {
      environment = "prod"
      keys        = { reports = { generations = { "2026-09" = { state = "retiring" } } } }
    }
  }
  expect_failures = [var.generations]
}

run "a_disabled_generation_may_be_removed" {
  command = plan
  variables {
    generations = { "2027-03" = { state = "enabled" } }
    previous_catalogue = {
      environment = "prod"
      keys        = { reports = { generations = { "2026-09" = { state = "disabled" } } } }
    }
  }

  assert {
    condition     = keys(output.generations) == ["2027-03"]
    error_message = "what is disabled need not stay"
  }
}

run "a_generation_that_would_renumber_is_refused" {
  command = plan
  variables {
    generations = {
      "2026-01" = { state = "pending" }
      "2026-09" = { state = "enabled" }
    }
  }
  expect_failures = [var.generations]
}

run "another_environments_catalogue_is_refused" {
  command = plan
  variables {
    previous_catalogue = { environment = "dev", keys = {} }
  }
  expect_failures = [var.previous_catalogue]
}

run "a_key_name_that_no_key_can_have_is_refused" {
  command = plan
  variables {
    key = "Reports"
  }
  expect_failures = [var.key]
}

run "an_environment_that_none_can_have_is_refused" {
  command = plan
  variables {
    environment = "Prod!"
  }
  expect_failures = [var.environment]
}

run "a_generation_that_goes_back_to_pending_is_refused" {
  command = plan
  variables {
    generations = {
      "2026-09" = { state = "pending" }
      "2027-03" = { state = "enabled" }
    }
  }
  expect_failures = [var.generations]
}

run "a_disabled_generation_that_comes_back_is_refused" {
  command = plan
  variables {
    generations = { "2026-09" = { state = "enabled" } }
    previous_catalogue = {
      environment = "prod"
      keys        = { reports = { generations = { "2026-09" = { state = "disabled" } } } }
    }
  }
  expect_failures = [var.generations]
}

run "states_go_forward" {
  command = plan
  variables {
    generations = {
      "2026-03" = { state = "disabled" }
      "2026-09" = { state = "retiring" }
      "2027-03" = { state = "enabled" }
      "2027-09" = { state = "pending" }
    }
    previous_catalogue = {
      environment = "prod"
      keys = { reports = { alg = "PS256", generations = {
        "2026-03" = { state = "retiring" }
        "2026-09" = { state = "enabled" }
        "2027-03" = { state = "pending" }
      } } }
    }
  }

  assert {
    condition     = [for name, one in output.generations : name if one.may_sign] == ["2027-03"]
    error_message = "each generation may take the next state"
  }
}

run "another_algorithm_than_in_force_is_refused" {
  command = plan
  variables {
    alg = "RS256"
    previous_catalogue = {
      environment = "prod"
      keys        = { reports = { alg = "PS256", generations = { "2026-09" = { state = "enabled" } } } }
    }
  }
  expect_failures = [var.alg]
}

run "another_size_than_in_force_is_refused" {
  command = plan
  variables {
    spec = "RSA_4096"
    previous_catalogue = {
      environment = "prod"
      keys        = { reports = { alg = "PS256", generations = { "2026-09" = { state = "enabled" } } } }
      meta        = { specs = { reports = "RSA_3072" } }
    }
  }
  expect_failures = [var.spec]
}

run "a_name_with_a_slash_in_a_key_vault_is_refused" {
  command = plan
  variables {
    vault_provider = "azure-key-vault"
    alg            = "ES256"
    generations    = { "2026-09" = { state = "enabled", name = "reports/2026-09" } }
  }
  expect_failures = [var.generations]
}

run "names_that_differ_in_case_only_are_refused_in_a_key_vault" {
  command = plan
  variables {
    vault_provider = "azure-key-vault"
    alg            = "ES256"
    generations = {
      "2026-09" = { state = "enabled", name = "Reports" }
      "2027-03" = { state = "pending", name = "reports" }
    }
  }
  expect_failures = [var.generations]
}

run "a_generation_of_a_day_that_is_none_is_refused" {
  command = plan
  variables {
    generations = {
      "2026-09"    = { state = "enabled" }
      "2027-02-30" = { state = "pending" }
    }
  }
  expect_failures = [var.generations]
}

run "a_leap_day_is_a_day" {
  command = plan
  variables {
    generations = {
      "2026-09"    = { state = "enabled" }
      "2028-02-29" = { state = "pending", created = "2028-02-29" }
    }
  }

  assert {
    condition     = keys(output.generations) == ["2026-09", "2028-02-29"]
    error_message = "every day that a calendar has may name a generation"
  }
}

run "a_creation_on_a_day_that_is_none_is_refused" {
  command = plan
  variables {
    generations = { "2026-09" = { state = "enabled", created = "2026-02-30" } }
  }
  expect_failures = [var.generations]
}

run "a_catalogue_that_protects_nothing_is_refused" {
  command = plan
  variables {
    previous_catalogue = { environment = "prod" }
  }
  expect_failures = [var.previous_catalogue]
}
