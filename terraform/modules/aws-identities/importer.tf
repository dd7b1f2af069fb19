# A person at `chancery import`. The keys have no name before they are made, and KMS's default policy after
# it, so what may be done with them goes by their tags, and is narrowed by what else KMS knows of a key.

locals {
  importable_macs  = sort([for alg in var.importable : local.kms_algorithms[alg] if startswith(alg, "HS")])
  importable_pairs = sort([for alg in var.importable : local.kms_algorithms[alg] if !startswith(alg, "HS")])
  importable_usages = concat(
    length(local.importable_macs) == 0 ? [] : ["GENERATE_VERIFY_MAC"],
    length(local.importable_pairs) == 0 ? [] : ["SIGN_VERIFY"],
  )

  # As `chancery import` tags them: of this environment, and each with the intent that it was made for.
  imported_of_ours = {
    "aws:ResourceTag/chancery:environment" = var.environment
    "kms:KeyOrigin"                        = "EXTERNAL"
  }
  with_an_intent = { "aws:ResourceTag/chancery:intent" = "false" }

  importer = concat(
    [
      {
        Sid      = "CreateEmptyKeys"
        Effect   = "Allow"
        Action   = ["kms:CreateKey"]
        Resource = "*"
        Condition = {
          StringEquals = {
            "aws:RequestTag/chancery:environment" = var.environment
            "aws:RequestedRegion"                 = var.region
            "kms:KeyOrigin"                       = "EXTERNAL"
            "kms:KeyUsage"                        = local.importable_usages
          }
          Null                        = { "aws:RequestTag/chancery:intent" = "false" }
          "ForAllValues:StringEquals" = { "aws:TagKeys" = ["chancery:environment", "chancery:intent"] }
        }
      },
      {
        # KMS has no permission to tag at creation only. What a key is already, it stays: of its own
        # environment, and not imported if it was not.
        # https://docs.aws.amazon.com/kms/latest/developerguide/tag-permissions.html
        Sid      = "TagThemAsTheyAreMade"
        Effect   = "Allow"
        Action   = ["kms:TagResource"]
        Resource = local.keys
        Condition = {
          StringEquals                = { "aws:RequestTag/chancery:environment" = var.environment }
          StringEqualsIfExists        = local.imported_of_ours
          Null                        = { "aws:RequestTag/chancery:intent" = "false" }
          "ForAllValues:StringEquals" = { "aws:TagKeys" = ["chancery:environment", "chancery:intent"] }
        }
      },
      {
        Sid      = "AskToImport"
        Effect   = "Allow"
        Action   = ["kms:GetParametersForImport"]
        Resource = local.keys
        Condition = {
          StringEquals = merge(local.imported_of_ours, {
            "kms:WrappingAlgorithm" = ["RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256"]
            "kms:WrappingKeySpec"   = "RSA_4096"
          })
          Null = local.with_an_intent
        }
      },
      {
        Sid      = "Import"
        Effect   = "Allow"
        Action   = ["kms:ImportKeyMaterial"]
        Resource = local.keys
        Condition = {
          StringEquals = merge(local.imported_of_ours, { "kms:ExpirationModel" = "KEY_MATERIAL_DOES_NOT_EXPIRE" })
          Null         = local.with_an_intent
        }
      },
      {
        Sid       = "ReadThem"
        Effect    = "Allow"
        Action    = ["kms:DescribeKey", "kms:GetPublicKey"]
        Resource  = local.keys
        Condition = { StringEquals = local.imported_of_ours, Null = local.with_an_intent }
      },
    ],
    # Whoever imports has had the private key in hand: a signature with it proves that it arrived. The text
    # of the proof goes as it is (RAW), never as a digest. IAM does not count: it may be any number of them,
    # until the key is named under imported_keys.
    length(local.importable_pairs) == 0 ? [] : [
      {
        Sid      = "ProveByASignature"
        Effect   = "Allow"
        Action   = ["kms:Sign"]
        Resource = local.keys
        Condition = {
          StringEquals = merge(local.imported_of_ours, {
            "kms:KeyUsage"         = "SIGN_VERIFY"
            "kms:MessageType"      = "RAW"
            "kms:SigningAlgorithm" = local.importable_pairs
          })
          Null = local.with_an_intent
        }
      },
    ],
    length(local.importable_macs) == 0 ? [] : [
      {
        Sid      = "ProveByAMac"
        Effect   = "Allow"
        Action   = ["kms:GenerateMac"]
        Resource = local.keys
        Condition = {
          StringEquals = merge(local.imported_of_ours, {
            "kms:KeyUsage"     = "GENERATE_VERIFY_MAC"
            "kms:MacAlgorithm" = local.importable_macs
          })
          Null = local.with_an_intent
        }
      },
    ],
    # A key in service still has both tags and its origin, so that only its name tells it from one that is to
    # be proved. Whoever comes next imports beside what production signs with.
    length(local.imported_arns) == 0 ? [] : [
      {
        Sid      = "NeverWithAKeyInService"
        Effect   = "Deny"
        Action   = ["kms:GenerateMac", "kms:Sign"]
        Resource = local.imported_arns
      },
    ],
    # After a lost reply only: KMS cannot be asked for a tag. ListKeys knows no resource. ListResourceTags
    # takes no condition on the tags here: `chancery import` has to see that no key has the intent, and keys
    # that it may not look at would leave that open.
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
    [
      {
        Sid       = "ListKeys"
        Effect    = "Allow"
        Action    = ["kms:ListKeys"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:RequestedRegion" = var.region } }
      },
      {
        Sid      = "FindByTag"
        Effect   = "Allow"
        Action   = ["kms:ListResourceTags"]
        Resource = local.keys
      },
    ],
    local.never,
  )
}
