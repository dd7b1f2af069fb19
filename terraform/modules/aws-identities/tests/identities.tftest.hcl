mock_provider "aws" {
  override_during = plan
}

override_resource {
  target          = aws_iam_role.duty
  override_during = plan
  values          = { arn = "arn:aws:iam::111122223333:role/chancery/mocked" }
}

variables {
  environment = "prod"
  account_id  = "111122223333"
  region      = "eu-central-1"
  trust = {
    signer      = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC", subject = "system:serviceaccount:chancery:serve" }
    rotator     = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC", subject = "system:serviceaccount:chancery:rotate" }
    importer    = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC", subject = "system:serviceaccount:chancery:import" }
    provisioner = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com", subject = "repo:acme/infrastructure:environment:prod" }
    auditor     = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC", subject = "system:serviceaccount:chancery:audit" }
  }
}

run "each_duty_has_a_role_of_its_own" {
  command = plan

  assert {
    condition     = { for duty, role in aws_iam_role.duty : duty => role.name } == { auditor = "chancery-prod-auditor", importer = "chancery-prod-importer", provisioner = "chancery-prod-provisioner", rotator = "chancery-prod-rotator", signer = "chancery-prod-signer" }
    error_message = "five duties, five roles"
  }

  assert {
    condition = jsondecode(aws_iam_role.duty["signer"].assume_role_policy).Statement == [{
      Sid       = "OneWorkload"
      Effect    = "Allow"
      Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringEquals = {
        "oidc.eks.eu-central-1.amazonaws.com/id/ABC:aud" = "sts.amazonaws.com"
        "oidc.eks.eu-central-1.amazonaws.com/id/ABC:sub" = "system:serviceaccount:chancery:serve"
      } }
    }]
    error_message = "one service account takes the role, by exact subject and audience"
  }

  assert {
    condition     = alltrue([for duty in ["signer", "rotator", "auditor"] : !contains(keys(aws_iam_role_policy.duty), duty)])
    error_message = "the signer, the rotator and the auditor may do nothing but what stands on a key"
  }

  assert {
    condition     = alltrue(flatten([for one in values(aws_iam_role_policy.duty) : [for s in jsondecode(one.policy).Statement : [for action in s.Action : !strcontains(action, "*")]]]))
    error_message = "no wildcard among the actions"
  }

  assert {
    condition     = toset(flatten([for one in values(aws_iam_role_policy.duty) : [for s in jsondecode(one.policy).Statement : s.Sid if try(endswith(s.Resource, "*"), false) && !can(s.Condition)]])) == toset(["FindByTag", "NameThem", "SeeAliases"])
    error_message = "a resource without a name has a condition, but for lists and the environment's own aliases"
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.duty["provisioner"].policy).Statement : s.Condition if s.Sid == "CreateSigningKeys"] == [{ StringEquals = { "aws:RequestTag/chancery:environment" = "prod", "kms:KeyOrigin" = ["AWS_KMS", "EXTERNAL"], "kms:KeyUsage" = ["GENERATE_VERIFY_MAC", "SIGN_VERIFY"] }, Bool = { "kms:BypassPolicyLockoutSafetyCheck" = "false", "kms:MultiRegion" = "false" } }]
    error_message = "the provisioner makes keys for signing only, of this environment, in one region"
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.duty["importer"].policy).Statement : s.Condition if s.Sid == "CreateEmptyKeys"] == [{ StringEquals = { "kms:KeyOrigin" = "EXTERNAL", "kms:KeyUsage" = ["GENERATE_VERIFY_MAC", "SIGN_VERIFY"] }, Bool = { "kms:BypassPolicyLockoutSafetyCheck" = "false", "kms:MultiRegion" = "false" }, Null = { "aws:RequestTag/chancery:intent" = "false" } }]
    error_message = "the importer makes empty keys for signing only, each with its intent"
  }

  assert {
    condition     = alltrue([for s in jsondecode(aws_iam_role_policy.duty["importer"].policy).Statement : s.Condition.Null["aws:ResourceTag/chancery:intent"] == "false" if contains(["AskToImport", "Import", "ProveThatItArrived"], s.Sid)])
    error_message = "the importer touches keys with an intent only"
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.duty["importer"].policy).Statement : try(s.Condition.StringEquals, "none") if s.Sid == "ProveThatItArrived"] == [{ "kms:KeyOrigin" = "EXTERNAL" }]
    error_message = "the importer signs with imported keys only"
  }
}

run "the_signer_gets_imported_keys_by_name" {
  command = plan
  variables {
    imported_keys = {
      "github-bot@1" = { arn = "arn:aws:kms:eu-central-1:111122223333:key/2d8c", alg = "RS256" }
      "face-sdk@1"   = { arn = "arn:aws:kms:eu-central-1:111122223333:key/3e9d", alg = "HS256" }
    }
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.duty["signer"].policy).Statement == [
      { Sid = "SignHS256", Effect = "Allow", Action = ["kms:GenerateMac"], Resource = ["arn:aws:kms:eu-central-1:111122223333:key/3e9d"], Condition = { StringEquals = { "kms:MacAlgorithm" = "HMAC_SHA_256" } } },
      { Sid = "SignRS256", Effect = "Allow", Action = ["kms:Sign"], Resource = ["arn:aws:kms:eu-central-1:111122223333:key/2d8c"], Condition = { StringEquals = { "kms:MessageType" = ["DIGEST", "RAW"], "kms:SigningAlgorithm" = "RSASSA_PKCS1_V1_5_SHA_256" } } },
      { Sid = "Describe", Effect = "Allow", Action = ["kms:DescribeKey"], Resource = ["arn:aws:kms:eu-central-1:111122223333:key/2d8c", "arn:aws:kms:eu-central-1:111122223333:key/3e9d"] },
      { Sid = "ReadPublicKey", Effect = "Allow", Action = ["kms:GetPublicKey"], Resource = ["arn:aws:kms:eu-central-1:111122223333:key/2d8c"] },
    ]
    error_message = "by name, each with its own algorithm"
  }

  assert {
    condition     = sort(flatten([for s in jsondecode(aws_iam_role_policy.duty["rotator"].policy).Statement : s.Action])) == tolist(["kms:DescribeKey", "kms:DisableKey", "kms:GetPublicKey"])
    error_message = "the rotator reads and disables, and never signs"
  }
}

run "a_signer_that_is_also_a_rotator_is_refused" {
  command = plan
  variables {
    trust = {
      signer      = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "system:serviceaccount:chancery:serve" }
      rotator     = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "system:serviceaccount:chancery:serve" }
      provisioner = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "ci" }
    }
  }
  expect_failures = [var.trust]
}

run "a_subject_with_two_duties_is_refused" {
  command = plan
  variables {
    trust = {
      signer      = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "ci" }
      provisioner = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "ci" }
    }
  }
  expect_failures = [var.trust]
}

run "a_pattern_for_a_subject_is_refused" {
  command = plan
  variables {
    trust = {
      signer      = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "system:serviceaccount:chancery:*" }
      provisioner = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "ci" }
    }
  }
  expect_failures = [var.trust]
}

run "no_signer_is_refused" {
  command = plan
  variables {
    trust = {
      provisioner = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "ci" }
    }
  }
  expect_failures = [var.trust]
}

run "an_unknown_duty_is_refused" {
  command = plan
  variables {
    trust = {
      signer      = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "serve" }
      provisioner = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "ci" }
      admin       = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "me" }
    }
  }
  expect_failures = [var.trust]
}

run "another_accounts_issuer_is_refused" {
  command = plan
  variables {
    trust = {
      signer      = { provider_arn = "arn:aws:iam::444455556666:oidc-provider/token.example", subject = "serve" }
      provisioner = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "ci" }
    }
  }
  expect_failures = [var.trust]
}

run "an_imported_key_by_wildcard_is_refused" {
  command = plan
  variables {
    imported_keys = { "github-bot@1" = { arn = "arn:aws:kms:eu-central-1:111122223333:key/*", alg = "RS256" } }
  }
  expect_failures = [var.imported_keys]
}

run "an_imported_key_of_an_unknown_algorithm_is_refused" {
  command = plan
  variables {
    imported_keys = { "github-bot@1" = { arn = "arn:aws:kms:eu-central-1:111122223333:key/2d8c", alg = "RS1" } }
  }
  expect_failures = [var.imported_keys]
}

run "a_region_of_another_form_is_refused" {
  command = plan
  variables {
    region = "Frankfurt"
  }
  expect_failures = [var.region]
}

run "an_environment_that_none_can_have_is_refused" {
  command = plan
  variables {
    environment = "Prod!"
  }
  expect_failures = [var.environment]
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
