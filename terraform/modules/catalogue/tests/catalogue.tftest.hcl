variables {
  environment        = "prod"
  previous_catalogue = { environment = "prod", keys = {} }
  keys = {
    reports = {
      environment = "prod"
      vault       = "aws"
      alg         = "PS256"
      generations = {
        "2026-09" = { resource = "arn:aws:kms:eu-central-1:111122223333:key/0b6a", state = "enabled", initial = true, created = "2026-09-01" }
        "2027-03" = { resource = "arn:aws:kms:eu-central-1:111122223333:key/1c7b", state = "pending" }
      }
    }
    documents = {
      environment = "prod"
      vault       = "azure"
      alg         = "ES256"
      generations = {
        "2026-09" = { resource = "https://acme.vault.azure.net/keys/documents-2026-09", state = "enabled" }
      }
    }
  }
}

run "is_what_chancery_reads" {
  command = plan

  assert {
    condition = jsondecode(jsonencode(output.key_catalogue)) == {
      schema_version = 1
      environment    = "prod"
      keys = {
        reports = {
          vault = "aws"
          alg   = "PS256"
          generations = {
            "2026-09" = { resource = "arn:aws:kms:eu-central-1:111122223333:key/0b6a", state = "enabled", initial = true, created = "2026-09-01" }
            "2027-03" = { resource = "arn:aws:kms:eu-central-1:111122223333:key/1c7b", state = "pending" }
          }
        }
        documents = {
          vault = "azure"
          alg   = "ES256"
          generations = {
            "2026-09" = { resource = "https://acme.vault.azure.net/keys/documents-2026-09", state = "enabled" }
          }
        }
      }
      revoked = []
      meta    = {}
    }
    error_message = "the catalogue has what was given, and no member that nobody gave"
  }
}

run "what_a_kind_of_key_is_called_is_kept_beside_the_remarks" {
  command = plan
  variables {
    keys = {
      documents = {
        environment = "prod"
        vault       = "azure"
        alg         = "ES256"
        spec        = "EC P-256"
        generations = { "2026-09" = { resource = "https://acme.vault.azure.net/keys/documents-2026-09", state = "enabled" } }
      }
    }
    meta = { writer = "us" }
  }

  assert {
    condition     = jsondecode(jsonencode(output.key_catalogue.meta)) == { writer = "us", specs = { documents = "EC P-256" } }
    error_message = "the next plan compares sizes with these"
  }
}

run "a_key_that_is_missing_is_refused" {
  command = plan
  variables {
    previous_catalogue = {
      environment = "prod"
      keys        = { invoices = { vault = "aws", alg = "PS256", generations = { "2026-03" = { state = "disabled" }, "2026-09" = { state = "retiring" } } } }
    }
  }
  expect_failures = [output.key_catalogue]
}

run "a_key_whose_generations_are_all_disabled_may_go" {
  command = plan
  variables {
    previous_catalogue = {
      environment = "prod"
      keys        = { invoices = { vault = "aws", alg = "PS256", generations = { "2026-03" = { state = "disabled" }, "2026-09" = { state = "disabled" } } } }
    }
  }

  assert {
    condition     = keys(output.key_catalogue.keys) == ["documents", "reports"]
    error_message = "what signs no more need not stay"
  }
}

run "a_generation_that_is_missing_is_refused" {
  command = plan
  variables {
    previous_catalogue = {
      environment = "prod"
      keys        = { documents = { vault = "azure", alg = "ES256", generations = { "2026-03" = { resource = "https://acme.vault.azure.net/keys/documents-2026-03", state = "retiring" } } } }
    }
  }
  expect_failures = [output.key_catalogue]
}

run "another_algorithm_is_refused" {
  command = plan
  variables {
    previous_catalogue = {
      environment = "prod"
      keys        = { documents = { vault = "azure", alg = "ES384", generations = {} } }
    }
  }
  expect_failures = [output.key_catalogue]
}

run "another_vault_is_refused" {
  command = plan
  variables {
    previous_catalogue = {
      environment = "prod"
      keys        = { documents = { vault = "azure-2", alg = "ES256", generations = {} } }
    }
  }
  expect_failures = [output.key_catalogue]
}

run "another_key_of_the_vault_is_refused" {
  command = plan
  variables {
    previous_catalogue = {
      environment = "prod"
      keys        = { documents = { vault = "azure", alg = "ES256", generations = { "2026-09" = { resource = "https://acme.vault.azure.net/keys/documents-1", state = "enabled" } } } }
    }
  }
  expect_failures = [output.key_catalogue]
}

run "states_go_on_and_generations_are_appended" {
  command = plan
  variables {
    previous_catalogue = {
      environment = "prod"
      keys = {
        reports   = { vault = "aws", alg = "PS256", generations = { "2026-09" = { resource = "arn:aws:kms:eu-central-1:111122223333:key/0b6a", state = "pending" } } }
        documents = { vault = "azure", alg = "ES256", generations = { "2026-03" = { resource = "https://acme.vault.azure.net/keys/documents-2026-03", state = "disabled" }, "2026-09" = { resource = "https://acme.vault.azure.net/keys/documents-2026-09", state = "enabled" } } }
        invoices  = { vault = "aws", alg = "PS256", generations = { "2026-03" = { state = "disabled" } } }
      }
      revoked = ["n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"]
      meta    = { specs = { invoices = "RSA_2048" } }
    }
    revoked = ["47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"]
  }

  assert {
    condition     = keys(output.key_catalogue.keys.reports.generations) == ["2026-09", "2027-03"] && output.key_catalogue.keys.reports.generations["2026-09"].state == "enabled" && length(output.key_catalogue.revoked) == 2
    error_message = "what only goes on is no change to what is in force"
  }
}

run "a_generation_that_goes_back_is_refused" {
  command = plan
  variables {
    previous_catalogue = {
      environment = "prod"
      keys        = { documents = { vault = "azure", alg = "ES256", generations = { "2026-09" = { resource = "https://acme.vault.azure.net/keys/documents-2026-09", state = "retiring" } } } }
    }
  }
  expect_failures = [output.key_catalogue]
}

run "a_generation_before_the_last_one_is_refused" {
  command = plan
  variables {
    previous_catalogue = {
      environment = "prod"
      keys        = { reports = { vault = "aws", alg = "PS256", generations = { "2027-03" = { resource = "arn:aws:kms:eu-central-1:111122223333:key/1c7b", state = "pending" } } } }
    }
  }
  expect_failures = [output.key_catalogue]
}

run "another_size_is_refused" {
  command = plan
  variables {
    previous_catalogue = { environment = "prod", keys = {}, meta = { specs = { reports = "RSA_3072" } } }
    keys = {
      reports = {
        environment = "prod"
        vault       = "aws"
        alg         = "PS256"
        spec        = "RSA_2048"
        generations = { "2026-09" = { resource = "arn:aws:kms:eu-central-1:111122223333:key/0b6a", state = "enabled" } }
      }
    }
  }
  expect_failures = [output.key_catalogue]
}

run "no_size_where_there_was_one_is_refused" {
  command = plan
  variables {
    previous_catalogue = { environment = "prod", keys = {}, meta = { specs = { reports = "RSA_3072" } } }
  }
  expect_failures = [output.key_catalogue]
}

run "a_revoked_digest_that_is_gone_is_refused" {
  command = plan
  variables {
    previous_catalogue = { environment = "prod", keys = {}, revoked = ["n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"] }
    revoked            = ["47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"]
  }
  expect_failures = [output.key_catalogue]
}

run "a_state_that_none_has_is_refused" {
  command = plan
  variables {
    keys = {
      documents = {
        environment = "prod"
        vault       = "azure"
        alg         = "ES256"
        generations = { "2026-09" = { resource = "https://acme.vault.azure.net/keys/documents-2026-09", state = "active" } }
      }
    }
  }
  expect_failures = [var.keys]
}

run "what_is_planned_has_no_resources" {
  command = plan

  assert {
    condition     = jsondecode(jsonencode(output.planned_catalogue.keys.reports)) == { vault = "aws", alg = "PS256", generations = { "2026-09" = { state = "enabled", initial = true, created = "2026-09-01" }, "2027-03" = { state = "pending" } } }
    error_message = "a plan knows states, and not what a new key is called"
  }

  assert {
    condition     = [output.planned_catalogue.environment, output.planned_catalogue.schema_version, length(output.planned_catalogue.revoked)] == ["prod", 1, 0]
    error_message = "all else is as it will be"
  }
}

run "another_environments_catalogue_is_refused" {
  command = plan
  variables {
    previous_catalogue = { environment = "dev", keys = {} }
  }
  expect_failures = [var.previous_catalogue]
}

run "a_catalogue_that_protects_nothing_is_refused" {
  command = plan
  variables {
    previous_catalogue = { environment = "prod" }
  }
  expect_failures = [var.previous_catalogue]
}

run "one_resource_twice_is_refused" {
  command = plan
  variables {
    keys = {
      reports = {
        environment = "prod"
        vault       = "aws"
        alg         = "PS256"
        generations = {
          "2026-09" = { resource = "arn:aws:kms:eu-central-1:111122223333:key/0b6a", state = "retiring" }
          "2027-03" = { resource = "arn:aws:kms:eu-central-1:111122223333:key/0b6a", state = "enabled" }
        }
      }
    }
  }
  expect_failures = [output.key_catalogue]
}

run "an_alias_is_refused" {
  command = plan
  variables {
    keys = {
      reports = {
        environment = "prod"
        vault       = "aws"
        alg         = "PS256"
        generations = { "2026-09" = { resource = "arn:aws:kms:eu-central-1:111122223333:alias/reports", state = "enabled" } }
      }
    }
  }
  expect_failures = [output.key_catalogue]
}

run "a_key_vault_version_is_refused" {
  command = plan
  variables {
    keys = {
      documents = {
        environment = "prod"
        vault       = "azure"
        alg         = "ES256"
        generations = { "2026-09" = { resource = "https://acme.vault.azure.net/keys/documents-2026-09/0123456789abcdef", state = "enabled" } }
      }
    }
  }
  expect_failures = [output.key_catalogue]
}

run "another_environments_key_is_refused" {
  command = plan
  variables {
    environment        = "dev"
    previous_catalogue = { environment = "dev", keys = {} }
  }
  expect_failures = [var.keys]
}

run "a_key_name_that_no_key_can_have_is_refused" {
  command = plan
  variables {
    keys = { Reports = { environment = "prod", vault = "aws", alg = "PS256", generations = {} } }
  }
  expect_failures = [var.keys]
}

run "an_environment_that_none_can_have_is_refused" {
  command = plan
  variables {
    environment        = "Prod!"
    keys               = {}
    previous_catalogue = { environment = "Prod!", keys = {} }
  }
  expect_failures = [var.environment]
}

run "a_digest_in_hex_is_refused" {
  command = plan
  variables {
    revoked = ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]
  }
  expect_failures = [var.revoked]
}

run "a_digest_twice_is_refused" {
  command = plan
  variables {
    revoked = ["n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg", "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"]
  }
  expect_failures = [var.revoked]
}

run "a_document_for_a_remark_is_refused" {
  command = plan
  variables {
    meta = { note = join("", [for i in range(257) : "a"]) }
  }
  expect_failures = [var.meta]
}

run "a_remark_by_our_own_name_is_refused" {
  command = plan
  variables {
    meta = { specs = "mine" }
  }
  expect_failures = [var.meta]
}

run "the_first_apply_says_so" {
  command = plan
  variables {
    previous_catalogue = null
    first_apply        = true
  }

  assert {
    condition     = keys(output.key_catalogue.keys) == ["documents", "reports"]
    error_message = "before the first apply there is no catalogue"
  }
}

run "no_catalogue_in_force_is_refused" {
  command = plan
  variables {
    previous_catalogue = null
  }
  expect_failures = [var.first_apply]
}

run "a_second_first_apply_is_refused" {
  command = plan
  variables {
    first_apply = true
  }
  expect_failures = [var.first_apply]
}
