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
  recoverers  = ["arn:aws:iam::111122223333:role/break-glass"]
  trust = {
    signer      = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC", subject = "system:serviceaccount:chancery:serve" }
    rotator     = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC", subject = "system:serviceaccount:chancery:rotate" }
    importer    = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC", subject = "system:serviceaccount:chancery:import", until = "2026-09-30T18:00:00Z" }
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
    condition     = alltrue([for role in values(aws_iam_role.duty) : role.max_session_duration == 3600])
    error_message = "a session lasts an hour, and no longer"
  }

  assert {
    condition     = { for duty, role in aws_iam_role.duty : duty => try(jsondecode(role.assume_role_policy).Statement[0].Condition.DateLessThan, null) if can(jsondecode(role.assume_role_policy).Statement[0].Condition.DateLessThan) } == { importer = { "aws:CurrentTime" = "2026-09-30T18:00:00Z" } }
    error_message = "the importer's time is over at some time"
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
    condition     = toset(flatten([for one in values(aws_iam_role_policy.duty) : [for s in jsondecode(one.policy).Statement : s.Sid if try(endswith(s.Resource, "*"), false) && !can(s.Condition)]])) == toset(["FindByTag", "NameThem"])
    error_message = "a resource without a name has a condition, but for the tags to look at and the environment's own aliases"
  }
}

run "the_provisioner_makes_keys_of_its_environment" {
  command = plan

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.duty["provisioner"].policy).Statement : s.Condition if s.Sid == "CreateSigningKeys"] == [{ StringEquals = { "aws:RequestTag/chancery:environment" = "prod", "aws:RequestedRegion" = "eu-central-1", "kms:KeyUsage" = ["GENERATE_VERIFY_MAC", "SIGN_VERIFY"] }, StringEqualsIfExists = { "kms:KeyOrigin" = ["AWS_KMS", "EXTERNAL"] }, "ForAllValues:StringEquals" = { "aws:TagKeys" = ["chancery:environment", "chancery:generation", "chancery:key"] } }]
    error_message = "the provisioner makes keys for signing only, of this environment, in one region"
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.duty["provisioner"].policy).Statement : s.Condition if s.Sid == "TagThemAsTheyAreMade"] == [{ StringEquals = { "aws:RequestTag/chancery:environment" = "prod" }, StringEqualsIfExists = { "aws:ResourceTag/chancery:environment" = "prod" }, "ForAllValues:StringEquals" = { "aws:TagKeys" = ["chancery:environment", "chancery:generation", "chancery:key"] } }]
    error_message = "it tags keys as its environment's own, none that are another's, and with our tags alone"
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.duty["provisioner"].policy).Statement : [s.Action, s.Condition] if s.Effect == "Deny" && s.Sid == "NeverAnIntent"] == [[["kms:CreateKey", "kms:TagResource", "kms:UntagResource"], { "ForAnyValue:StringEquals" = { "aws:TagKeys" = ["chancery:intent"] } }]]
    error_message = "it gives no key the tag that an importer goes by"
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.duty["provisioner"].policy).Statement : s.Condition if s.Sid == "SeeAliases"] == [{ StringEquals = { "aws:RequestedRegion" = "eu-central-1" } }]
    error_message = "it lists the aliases of its region"
  }
}

run "the_provisioner_puts_the_teams_own_tags_by_name" {
  command = plan
  variables {
    tag_names = ["team", "cost-center"]
  }

  assert {
    condition     = { for s in jsondecode(aws_iam_role_policy.duty["provisioner"].policy).Statement : s.Sid => s.Condition["ForAllValues:StringEquals"]["aws:TagKeys"] if can(s.Condition["ForAllValues:StringEquals"]) } == { for sid in ["CreateSigningKeys", "TagThemAsTheyAreMade"] : sid => ["chancery:environment", "chancery:generation", "chancery:key", "cost-center", "team"] }
    error_message = "our tags and the team's, and no other team's"
  }
}

run "a_tag_by_wildcard_is_refused" {
  command = plan
  variables {
    tag_names = ["team*"]
  }
  expect_failures = [var.tag_names]
}

run "a_tag_of_ours_is_refused" {
  command = plan
  variables {
    tag_names = ["chancery:intent"]
  }
  expect_failures = [var.tag_names]
}

run "a_tag_twice_is_refused" {
  command = plan
  variables {
    tag_names = ["team", "team"]
  }
  expect_failures = [var.tag_names]
}

run "whoever_makes_keys_leaves_the_checks_on" {
  command = plan

  assert {
    condition     = alltrue([for duty in ["importer", "provisioner"] : { for s in jsondecode(aws_iam_role_policy.duty[duty].policy).Statement : s.Sid => [s.Action, s.Condition] if s.Effect == "Deny" && s.Sid != "NeverAnIntent" } == { NeverWithoutTheLockoutCheck = [["kms:CreateKey", "kms:PutKeyPolicy"], { Bool = { "kms:BypassPolicyLockoutSafetyCheck" = "true" } }], NeverInSeveralRegions = [["kms:CreateKey"], { Bool = { "kms:MultiRegion" = "true" } }] }])
    error_message = "nobody bypasses the lockout check, nobody makes keys that can be replicated"
  }

  assert {
    condition     = !strcontains(jsonencode(flatten([for one in values(aws_iam_role_policy.duty) : [for s in jsondecode(one.policy).Statement : try(s.Condition.Bool, null) if s.Effect == "Allow"]])), "kms:")
    error_message = "no permission waits for a request to say false: one that says nothing would be refused"
  }
}

run "the_importer_touches_its_own_keys" {
  command = plan

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.duty["importer"].policy).Statement : s.Condition if s.Sid == "CreateEmptyKeys"] == [{ StringEquals = { "aws:RequestTag/chancery:environment" = "prod", "aws:RequestedRegion" = "eu-central-1", "kms:KeyOrigin" = "EXTERNAL", "kms:KeyUsage" = ["GENERATE_VERIFY_MAC", "SIGN_VERIFY"] }, Null = { "aws:RequestTag/chancery:intent" = "false" }, "ForAllValues:StringEquals" = { "aws:TagKeys" = ["chancery:environment", "chancery:intent"] } }]
    error_message = "the importer makes empty keys for signing only, of this environment, each with its intent"
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.duty["importer"].policy).Statement : s.Condition if s.Sid == "TagThemAsTheyAreMade"] == [{ StringEquals = { "aws:RequestTag/chancery:environment" = "prod" }, StringEqualsIfExists = { "aws:ResourceTag/chancery:environment" = "prod", "kms:KeyOrigin" = "EXTERNAL" }, Null = { "aws:RequestTag/chancery:intent" = "false" }, "ForAllValues:StringEquals" = { "aws:TagKeys" = ["chancery:environment", "chancery:intent"] } }]
    error_message = "it tags no key of another environment, and none that KMS made"
  }

  assert {
    condition     = { for s in jsondecode(aws_iam_role_policy.duty["importer"].policy).Statement : s.Sid => [s.Condition.StringEquals["aws:ResourceTag/chancery:environment"], s.Condition.StringEquals["kms:KeyOrigin"], s.Condition.Null["aws:ResourceTag/chancery:intent"]] if contains(["AskToImport", "Import", "ProveByAMac", "ProveByASignature", "ReadThem"], s.Sid) } == { for sid in ["AskToImport", "Import", "ProveByAMac", "ProveByASignature", "ReadThem"] : sid => ["prod", "EXTERNAL", "false"] }
    error_message = "the importer touches keys of this environment only, that were imported, with an intent"
  }

  assert {
    condition     = { for s in jsondecode(aws_iam_role_policy.duty["importer"].policy).Statement : s.Sid => s.Condition.StringEquals if contains(["AskToImport", "Import"], s.Sid) } == { AskToImport = { "aws:ResourceTag/chancery:environment" = "prod", "kms:KeyOrigin" = "EXTERNAL", "kms:WrappingAlgorithm" = ["RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256"], "kms:WrappingKeySpec" = "RSA_4096" }, Import = { "aws:ResourceTag/chancery:environment" = "prod", "kms:KeyOrigin" = "EXTERNAL", "kms:ExpirationModel" = "KEY_MATERIAL_DOES_NOT_EXPIRE" } }
    error_message = "material is wrapped with RSA-4096, and does not expire"
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.duty["importer"].policy).Statement : [s.Action, s.Condition.StringEquals] if s.Sid == "ProveByASignature"] == [[["kms:Sign"], { "aws:ResourceTag/chancery:environment" = "prod", "kms:KeyOrigin" = "EXTERNAL", "kms:KeyUsage" = "SIGN_VERIFY", "kms:MessageType" = "RAW", "kms:SigningAlgorithm" = ["RSASSA_PKCS1_V1_5_SHA_256"] }]]
    error_message = "it signs with the algorithms that are imported, and no digests"
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.duty["importer"].policy).Statement : [s.Action, s.Condition.StringEquals] if s.Sid == "ProveByAMac"] == [[["kms:GenerateMac"], { "aws:ResourceTag/chancery:environment" = "prod", "kms:KeyOrigin" = "EXTERNAL", "kms:KeyUsage" = "GENERATE_VERIFY_MAC", "kms:MacAlgorithm" = ["HMAC_SHA_256"] }]]
    error_message = "it generates MACs with the algorithms that are imported"
  }

  assert {
    condition     = { for s in jsondecode(aws_iam_role_policy.duty["importer"].policy).Statement : s.Sid => [s.Action, s.Resource, try(s.Condition.StringEquals["aws:RequestedRegion"], "none")] if contains(["ListKeys", "FindByTag"], s.Sid) } == { ListKeys = [["kms:ListKeys"], "*", "eu-central-1"], FindByTag = [["kms:ListResourceTags"], "arn:aws:kms:eu-central-1:111122223333:key/*", "none"] }
    error_message = "it looks through the keys of its region"
  }
}

run "an_importer_of_pairs_alone_makes_no_mac" {
  command = plan
  variables {
    importable = ["ES256", "PS384"]
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.duty["importer"].policy).Statement : s.Condition.StringEquals["kms:SigningAlgorithm"] if s.Sid == "ProveByASignature"] == [["ECDSA_SHA_256", "RSASSA_PSS_SHA_384"]]
    error_message = "each algorithm that may be imported, and no other"
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.duty["importer"].policy).Statement : s.Condition.StringEquals["kms:KeyUsage"] if s.Sid == "CreateEmptyKeys"] == [["SIGN_VERIFY"]] && !strcontains(aws_iam_role_policy.duty["importer"].policy, "kms:GenerateMac")
    error_message = "no key for MACs, and no MAC"
  }
}

run "an_importer_of_secrets_alone_signs_nothing" {
  command = plan
  variables {
    importable = ["HS512"]
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.duty["importer"].policy).Statement : s.Condition.StringEquals["kms:KeyUsage"] if s.Sid == "CreateEmptyKeys"] == [["GENERATE_VERIFY_MAC"]] && !strcontains(aws_iam_role_policy.duty["importer"].policy, "\"kms:Sign\"")
    error_message = "no key that signs, and no signature"
  }
}

run "an_importer_without_an_end_is_refused" {
  command = plan
  variables {
    trust = {
      signer      = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "serve" }
      provisioner = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "ci" }
      importer    = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "me" }
    }
  }
  expect_failures = [var.trust]
}

run "an_end_that_is_no_instant_is_refused" {
  command = plan
  variables {
    trust = {
      signer      = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "serve" }
      provisioner = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "ci" }
      importer    = { provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.example", subject = "me", until = "tomorrow" }
    }
  }
  expect_failures = [var.trust]
}

run "an_importer_of_nothing_is_refused" {
  command = plan
  variables {
    importable = []
  }
  expect_failures = [var.importable]
}

run "an_importer_of_an_unknown_algorithm_is_refused" {
  command = plan
  variables {
    importable = ["ES256K"]
  }
  expect_failures = [var.importable]
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

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.duty["importer"].policy).Statement : s if s.Sid == "NeverWithAKeyInService"] == [{ Sid = "NeverWithAKeyInService", Effect = "Deny", Action = ["kms:GenerateMac", "kms:Sign"], Resource = ["arn:aws:kms:eu-central-1:111122223333:key/2d8c", "arn:aws:kms:eu-central-1:111122223333:key/3e9d"] }]
    error_message = "the importer signs with no key that is in service already"
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

run "the_recoverers_are_handed_on" {
  command = plan

  assert {
    condition     = output.key_identities.recoverers == tolist(["arn:aws:iam::111122223333:role/break-glass"]) && length(aws_iam_role.duty) == 5
    error_message = "the keys know who repairs them, and no role is made of it"
  }
}

run "a_recoverer_by_wildcard_is_refused" {
  command = plan
  variables {
    recoverers = ["arn:aws:iam::111122223333:role/*"]
  }
  expect_failures = [var.recoverers]
}

run "a_recoverer_with_a_duty_is_refused" {
  command = plan
  variables {
    recoverers = ["arn:aws:iam::111122223333:role/chancery/chancery-prod-signer"]
  }
  expect_failures = [var.recoverers]
}

run "a_recoverer_named_twice_is_refused" {
  command = plan
  variables {
    recoverers = ["arn:aws:iam::111122223333:role/break-glass", "arn:aws:iam::111122223333:role/break-glass"]
  }
  expect_failures = [var.recoverers]
}

run "an_imported_key_without_its_version_is_refused" {
  command = plan
  variables {
    imported_keys = { "github-bot" = { arn = "arn:aws:kms:eu-central-1:111122223333:key/2d8c", alg = "RS256" } }
  }
  expect_failures = [var.imported_keys]
}

run "one_kms_key_for_two_versions_is_refused" {
  command = plan
  variables {
    imported_keys = {
      "github-bot@1" = { arn = "arn:aws:kms:eu-central-1:111122223333:key/2d8c", alg = "RS256" }
      "github-bot@2" = { arn = "arn:aws:kms:eu-central-1:111122223333:key/2d8c", alg = "RS256" }
    }
  }
  expect_failures = [var.imported_keys]
}
