variables {
  account_id = "111122223333"
  alg        = "PS256"
  state      = "enabled"
  identities = {
    signers      = ["arn:aws:iam::111122223333:role/chancery/signer"]
    rotators     = ["arn:aws:iam::111122223333:role/chancery/rotator"]
    importers    = ["arn:aws:iam::111122223333:role/chancery/importer"]
    provisioners = ["arn:aws:iam::111122223333:role/chancery/provisioner"]
    auditors     = ["arn:aws:iam::111122223333:role/chancery/auditor"]
    recoverers   = ["arn:aws:iam::111122223333:role/break-glass"]
  }
}

run "the_signer_signs_with_one_algorithm" {
  command = plan

  assert {
    condition = [for s in jsondecode(output.json).Statement : s if s.Effect == "Allow" && contains(s.Action, "kms:Sign")] == [{
      Sid       = "Sign"
      Effect    = "Allow"
      Principal = { AWS = ["arn:aws:iam::111122223333:role/chancery/signer"] }
      Action    = ["kms:Sign"]
      Resource  = "*"
      Condition = { StringEquals = { "kms:SigningAlgorithm" = "RSASSA_PSS_SHA_256", "kms:MessageType" = ["DIGEST", "RAW"] } }
    }]
    error_message = "one statement allows Sign, to the signer alone, with one algorithm and its message types"
  }

  assert {
    condition     = !strcontains(jsonencode([for s in jsondecode(output.json).Statement : [s.Action, s.Principal] if s.Effect == "Allow"]), "*")
    error_message = "no wildcard in any Allow"
  }

  assert {
    condition = length(setintersection(
      toset(flatten([for s in jsondecode(output.json).Statement : s.Action if s.Effect == "Allow"])),
      toset(flatten([for s in jsondecode(output.json).Statement : s.Action if s.Sid == "SignOnly"])),
    )) == 0
    error_message = "nobody is allowed what a sign-only key cannot do"
  }

  assert {
    condition     = [for s in jsondecode(output.json).Statement : s.Condition if s.Sid == "NobodyElseSigns"] == [{ ArnNotEquals = { "aws:PrincipalArn" = ["arn:aws:iam::111122223333:role/chancery/signer"] } }]
    error_message = "whoever is not the signer is denied Sign, whatever else says otherwise"
  }

  assert {
    condition     = [for s in jsondecode(output.json).Statement : s.Condition if s.Sid == "NoOtherAlgorithm"] == [{ StringNotEquals = { "kms:SigningAlgorithm" = "RSASSA_PSS_SHA_256" } }]
    error_message = "another algorithm is denied to everybody"
  }

  assert {
    condition     = toset([for s in jsondecode(output.json).Statement : s.Sid if s.Effect == "Deny"]) == toset(["NeverAnIntent", "NeverWithoutTheLockoutCheck", "NobodyElseSigns", "NoOtherAlgorithm", "SignOnly"])
    error_message = "all belts are there"
  }

  assert {
    condition     = length(setsubtract(["kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:ReplicateKey", "kms:UpdatePrimaryRegion", "kms:GenerateDataKey", "kms:GenerateDataKeyPair", "kms:GenerateDataKeyPairWithoutPlaintext", "kms:GenerateDataKeyWithoutPlaintext", "kms:DeriveSharedSecret"], flatten([for s in jsondecode(output.json).Statement : s.Action if s.Sid == "SignOnly"]))) == 0
    error_message = "nobody decrypts, exports, replicates or grants"
  }

  assert {
    condition     = alltrue([for s in jsondecode(output.json).Statement : !can(s.Condition) if contains(s.Action, "kms:GetPublicKey")])
    error_message = "reading carries no algorithm, so it has no condition"
  }

  assert {
    condition     = sort(flatten([for s in jsondecode(output.json).Statement : s.Action if s.Effect == "Allow" && contains(s.Principal.AWS, "arn:aws:iam::111122223333:role/chancery/rotator")])) == tolist(["kms:DescribeKey", "kms:DisableKey", "kms:GetPublicKey"])
    error_message = "the rotator reads and disables, and nothing else"
  }

  assert {
    condition     = sort(flatten([for s in jsondecode(output.json).Statement : s.Action if s.Effect == "Allow" && contains(s.Principal.AWS, "arn:aws:iam::111122223333:role/chancery/auditor")])) == tolist(["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetPublicKey", "kms:ListResourceTags"])
    error_message = "the auditor reads, and nothing else"
  }

  assert {
    condition     = sort(flatten([for s in jsondecode(output.json).Statement : s.Action if s.Effect == "Allow" && contains(s.Principal.AWS, "arn:aws:iam::111122223333:role/chancery/importer")])) == tolist(["kms:DescribeKey", "kms:GetPublicKey"])
    error_message = "nothing is imported into a key that KMS makes"
  }
}

run "named_people_repair_the_policy" {
  command = plan

  assert {
    condition     = [for s in jsondecode(output.json).Statement : s.Principal.AWS if s.Sid == "Recover"] == [["arn:aws:iam::111122223333:role/break-glass"]]
    error_message = "whoever is named, and not the account"
  }

  assert {
    condition     = sort(flatten([for s in jsondecode(output.json).Statement : s.Principal.AWS if s.Effect == "Allow" && contains(s.Action, "kms:PutKeyPolicy")])) == tolist(["arn:aws:iam::111122223333:role/break-glass", "arn:aws:iam::111122223333:role/chancery/provisioner"])
    error_message = "the provisioner and they put policies, and nobody else"
  }

  assert {
    condition     = !strcontains(output.json, ":root")
    error_message = "nothing is left to IAM"
  }

  assert {
    condition     = { for s in jsondecode(output.json).Statement : s.Sid => [s.Action, s.Condition] if contains(["NeverAnIntent", "NeverWithoutTheLockoutCheck"], s.Sid) } == { NeverAnIntent = [["kms:TagResource", "kms:UntagResource"], { "ForAnyValue:StringEquals" = { "aws:TagKeys" = ["chancery:intent"] } }], NeverWithoutTheLockoutCheck = [["kms:PutKeyPolicy"], { Bool = { "kms:BypassPolicyLockoutSafetyCheck" = "true" } }] }
    error_message = "nobody puts a policy that nobody can change, and no importer gets at this key"
  }
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
    condition     = [for s in jsondecode(output.json).Statement : s.Principal.AWS if s.Sid == "Recover"] == [["arn:aws:iam::111122223333:root"]]
    error_message = "IAM decides who repairs"
  }
}

run "a_key_that_nobody_could_repair_is_refused" {
  command = plan
  variables {
    identities = {
      signers      = ["arn:aws:iam::111122223333:role/chancery/signer"]
      provisioners = ["arn:aws:iam::111122223333:role/chancery/provisioner"]
    }
  }
  expect_failures = [var.account_recovers]
}

run "named_people_and_the_whole_account_are_refused" {
  command = plan
  variables {
    account_recovers = true
  }
  expect_failures = [var.account_recovers]
}

run "a_recoverer_with_another_duty_is_refused" {
  command = plan
  variables {
    identities = {
      signers      = ["arn:aws:iam::111122223333:role/chancery/signer"]
      provisioners = ["arn:aws:iam::111122223333:role/chancery/provisioner"]
      recoverers   = ["arn:aws:iam::111122223333:role/chancery/signer"]
    }
  }
  expect_failures = [var.identities]
}

run "nobody_signs_with_a_retiring_generation" {
  command = plan
  variables {
    state = "retiring"
  }

  assert {
    condition     = length([for s in jsondecode(output.json).Statement : s if s.Effect == "Allow" && contains(s.Action, "kms:Sign")]) == 0
    error_message = "Sign is taken away"
  }

  assert {
    condition     = [for s in jsondecode(output.json).Statement : can(s.Condition) if s.Sid == "NobodyElseSigns"] == [false]
    error_message = "Sign is denied to everybody, the signer too"
  }

  assert {
    condition     = contains(flatten([for s in jsondecode(output.json).Statement : s.Principal.AWS if s.Effect == "Allow" && contains(s.Action, "kms:GetPublicKey")]), "arn:aws:iam::111122223333:role/chancery/signer")
    error_message = "the public half stays readable"
  }
}

run "nobody_signs_with_a_pending_generation" {
  command = plan
  variables {
    state = "pending"
  }

  assert {
    condition     = length([for s in jsondecode(output.json).Statement : s if s.Effect == "Allow" && contains(s.Action, "kms:Sign")]) == 0
    error_message = "a pending generation may not sign"
  }
}

run "nobody_signs_with_a_disabled_generation" {
  command = plan
  variables {
    state = "disabled"
  }

  assert {
    condition     = length([for s in jsondecode(output.json).Statement : s if s.Effect == "Allow" && contains(s.Action, "kms:Sign")]) == 0
    error_message = "a disabled generation may not sign"
  }
}

run "ed25519_takes_messages_only" {
  command = plan
  variables {
    alg = "EdDSA"
  }

  assert {
    condition     = [for s in jsondecode(output.json).Statement : s.Condition.StringEquals if s.Sid == "Sign"] == [{ "kms:SigningAlgorithm" = "ED25519_SHA_512", "kms:MessageType" = ["RAW"] }]
    error_message = "Ed25519 signs messages, never digests"
  }
}

run "a_mac_is_generated_not_signed" {
  command = plan
  variables {
    alg = "HS256"
  }

  assert {
    condition     = [for s in jsondecode(output.json).Statement : [s.Action, s.Condition] if s.Sid == "Sign"] == [[["kms:GenerateMac"], { StringEquals = { "kms:MacAlgorithm" = "HMAC_SHA_256" } }]]
    error_message = "an HMAC key generates MACs with its one algorithm"
  }

  assert {
    condition     = !contains(flatten([for s in jsondecode(output.json).Statement : s.Action]), "kms:GetPublicKey")
    error_message = "an HMAC key has no public half to read"
  }

  assert {
    condition     = [for s in jsondecode(output.json).Statement : s.Condition if s.Sid == "NoOtherAlgorithm"] == [{ StringNotEquals = { "kms:MacAlgorithm" = "HMAC_SHA_256" } }]
    error_message = "another algorithm is denied to everybody"
  }
}

run "material_goes_into_a_pending_shell_only" {
  command = plan
  variables {
    origin = "EXTERNAL"
    state  = "pending"
  }

  assert {
    condition     = { for s in jsondecode(output.json).Statement : s.Sid => s.Condition.StringEquals if contains(["AskToImport", "Import"], s.Sid) } == { AskToImport = { "kms:WrappingAlgorithm" = ["RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256"], "kms:WrappingKeySpec" = "RSA_4096" }, Import = { "kms:ExpirationModel" = "KEY_MATERIAL_DOES_NOT_EXPIRE" } }
    error_message = "material is wrapped with RSA-4096, and does not expire"
  }

  assert {
    condition     = distinct(flatten([for s in jsondecode(output.json).Statement : s.Principal.AWS if contains(["AskToImport", "Import"], s.Sid)])) == tolist(["arn:aws:iam::111122223333:role/chancery/importer"])
    error_message = "the importer alone imports"
  }
}

run "no_material_goes_into_an_enabled_shell" {
  command = plan
  variables {
    origin = "EXTERNAL"
  }

  assert {
    condition     = !contains(flatten([for s in jsondecode(output.json).Statement : s.Action]), "kms:ImportKeyMaterial")
    error_message = "a key that signs takes no material any more"
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

run "a_role_with_two_duties_is_refused" {
  command = plan
  variables {
    identities = {
      signers      = ["arn:aws:iam::111122223333:role/chancery/signer"]
      provisioners = ["arn:aws:iam::111122223333:role/chancery/signer"]
      recoverers   = ["arn:aws:iam::111122223333:role/break-glass"]
    }
  }
  expect_failures = [var.identities]
}

run "a_key_without_a_signer_is_refused" {
  command = plan
  variables {
    identities = {
      signers      = []
      provisioners = ["arn:aws:iam::111122223333:role/chancery/provisioner"]
      recoverers   = ["arn:aws:iam::111122223333:role/break-glass"]
    }
  }
  expect_failures = [var.identities]
}

run "a_wildcard_for_a_role_is_refused" {
  command = plan
  variables {
    identities = {
      signers      = ["arn:aws:iam::111122223333:role/*"]
      provisioners = ["arn:aws:iam::111122223333:role/chancery/provisioner"]
      recoverers   = ["arn:aws:iam::111122223333:role/break-glass"]
    }
  }
  expect_failures = [var.identities]
}

run "another_accounts_role_is_refused" {
  command = plan
  variables {
    identities = {
      signers      = ["arn:aws:iam::444455556666:role/chancery/signer"]
      provisioners = ["arn:aws:iam::111122223333:role/chancery/provisioner"]
      recoverers   = ["arn:aws:iam::111122223333:role/break-glass"]
    }
  }
  expect_failures = [var.identities]
}

run "an_algorithm_that_kms_has_not_is_refused" {
  command = plan
  variables {
    alg = "ES256K"
  }
  expect_failures = [var.alg]
}

run "an_unknown_state_is_refused" {
  command = plan
  variables {
    state = "active"
  }
  expect_failures = [var.state]
}

run "an_unknown_origin_is_refused" {
  command = plan
  variables {
    origin = "EXTERNAL_KEY_STORE"
  }
  expect_failures = [var.origin]
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
