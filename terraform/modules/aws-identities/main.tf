# One role for each duty. What a role may do with a key that Terraform makes stands on that key alone
# (key-policy-aws): here is only what has no key to stand on.

locals {
  names = { for duty in keys(var.trust) : duty => "chancery-${var.environment}-${duty}" }
  keys  = "arn:${var.partition}:kms:${var.region}:${var.account_id}:key/*"

  trust = {
    for duty, one in var.trust : duty => {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "OneWorkload"
        Effect    = "Allow"
        Principal = { Federated = one.provider_arn }
        Action    = "sts:AssumeRoleWithWebIdentity"
        Condition = {
          StringEquals = {
            "${split("oidc-provider/", one.provider_arn)[1]}:aud" = one.audience
            "${split("oidc-provider/", one.provider_arn)[1]}:sub" = one.subject
          }
        }
      }]
    }
  }

  # https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
  kms_algorithms = {
    RS256 = "RSASSA_PKCS1_V1_5_SHA_256"
    RS384 = "RSASSA_PKCS1_V1_5_SHA_384"
    RS512 = "RSASSA_PKCS1_V1_5_SHA_512"
    PS256 = "RSASSA_PSS_SHA_256"
    PS384 = "RSASSA_PSS_SHA_384"
    PS512 = "RSASSA_PSS_SHA_512"
    ES256 = "ECDSA_SHA_256"
    ES384 = "ECDSA_SHA_384"
    ES512 = "ECDSA_SHA_512"
    EdDSA = "ED25519_SHA_512"
    HS256 = "HMAC_SHA_256"
    HS384 = "HMAC_SHA_384"
    HS512 = "HMAC_SHA_512"
  }

  # `chancery import` makes a key with KMS's default policy, which leaves the decision to IAM: that is here.
  imported_arns   = sort([for one in values(var.imported_keys) : one.arn])
  imported_public = sort([for one in values(var.imported_keys) : one.arn if !startswith(one.alg, "HS")])
  imported_algs   = sort(distinct([for one in values(var.imported_keys) : one.alg]))
  arns_of         = { for alg in local.imported_algs : alg => sort([for one in values(var.imported_keys) : one.arn if one.alg == alg]) }

  read_imported = concat(
    length(local.imported_arns) == 0 ? [] : [
      { Sid = "Describe", Effect = "Allow", Action = ["kms:DescribeKey"], Resource = local.imported_arns },
    ],
    length(local.imported_public) == 0 ? [] : [
      { Sid = "ReadPublicKey", Effect = "Allow", Action = ["kms:GetPublicKey"], Resource = local.imported_public },
    ],
  )

  sign_imported = [
    for alg in local.imported_algs : {
      Sid      = "Sign${alg}"
      Effect   = "Allow"
      Action   = [startswith(alg, "HS") ? "kms:GenerateMac" : "kms:Sign"]
      Resource = local.arns_of[alg]
      Condition = {
        StringEquals = merge(
          { (startswith(alg, "HS") ? "kms:MacAlgorithm" : "kms:SigningAlgorithm") = local.kms_algorithms[alg] },
          startswith(alg, "HS") ? {} : { "kms:MessageType" = alg == "EdDSA" ? ["RAW"] : ["DIGEST", "RAW"] },
        )
      }
    }
  ]

  # A key that is yet to be made has no name. KMS knows no resource for CreateKey, so `*` is the only one it
  # takes; what is allowed without a name is narrowed by conditions instead.
  # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
  statements = {
    signer = concat(local.sign_imported, local.read_imported)

    rotator = concat(
      local.read_imported,
      length(local.imported_arns) == 0 ? [] : [
        { Sid = "Disable", Effect = "Allow", Action = ["kms:DisableKey"], Resource = local.imported_arns },
      ],
    )

    importer = [
      {
        Sid      = "CreateEmptyKeys"
        Effect   = "Allow"
        Action   = ["kms:CreateKey"]
        Resource = "*"
        Condition = {
          StringEquals = { "kms:KeyOrigin" = "EXTERNAL", "kms:KeyUsage" = ["GENERATE_VERIFY_MAC", "SIGN_VERIFY"] }
          Bool         = { "kms:BypassPolicyLockoutSafetyCheck" = "false", "kms:MultiRegion" = "false" }
          Null         = { "aws:RequestTag/chancery:intent" = "false" }
        }
      },
      {
        Sid      = "TagThemAsTheyAreMade"
        Effect   = "Allow"
        Action   = ["kms:TagResource"]
        Resource = local.keys
        Condition = {
          Null                        = { "aws:RequestTag/chancery:intent" = "false" }
          "ForAllValues:StringEquals" = { "aws:TagKeys" = ["chancery:intent"] }
        }
      },
      {
        Sid      = "AskToImport"
        Effect   = "Allow"
        Action   = ["kms:GetParametersForImport"]
        Resource = local.keys
        Condition = {
          Null         = { "aws:ResourceTag/chancery:intent" = "false" }
          StringEquals = { "kms:WrappingAlgorithm" = ["RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256"], "kms:WrappingKeySpec" = "RSA_4096" }
        }
      },
      {
        Sid      = "Import"
        Effect   = "Allow"
        Action   = ["kms:ImportKeyMaterial"]
        Resource = local.keys
        Condition = {
          Null         = { "aws:ResourceTag/chancery:intent" = "false" }
          StringEquals = { "kms:ExpirationModel" = "KEY_MATERIAL_DOES_NOT_EXPIRE" }
        }
      },
      {
        # Whoever imports has had the private key in hand: one signature with it proves that it arrived.
        Sid       = "ProveThatItArrived"
        Effect    = "Allow"
        Action    = ["kms:DescribeKey", "kms:GenerateMac", "kms:GetPublicKey", "kms:Sign"]
        Resource  = local.keys
        Condition = { Null = { "aws:ResourceTag/chancery:intent" = "false" }, StringEquals = { "kms:KeyOrigin" = "EXTERNAL" } }
      },
      {
        # After a lost reply only: KMS cannot be asked for a tag.
        Sid      = "FindByTag"
        Effect   = "Allow"
        Action   = ["kms:ListKeys", "kms:ListResourceTags"]
        Resource = "*"
      },
    ]

    provisioner = [
      {
        Sid      = "CreateSigningKeys"
        Effect   = "Allow"
        Action   = ["kms:CreateKey"]
        Resource = "*"
        Condition = {
          StringEquals = {
            "aws:RequestTag/chancery:environment" = var.environment
            "kms:KeyOrigin"                       = ["AWS_KMS", "EXTERNAL"]
            "kms:KeyUsage"                        = ["GENERATE_VERIFY_MAC", "SIGN_VERIFY"]
          }
          Bool = { "kms:BypassPolicyLockoutSafetyCheck" = "false", "kms:MultiRegion" = "false" }
        }
      },
      {
        Sid       = "TagThemAsTheyAreMade"
        Effect    = "Allow"
        Action    = ["kms:TagResource"]
        Resource  = local.keys
        Condition = { StringEquals = { "aws:RequestTag/chancery:environment" = var.environment } }
      },
      {
        Sid      = "NameThem"
        Effect   = "Allow"
        Action   = ["kms:CreateAlias", "kms:DeleteAlias"]
        Resource = "arn:${var.partition}:kms:${var.region}:${var.account_id}:alias/chancery/${var.environment}/*"
      },
      {
        Sid      = "SeeAliases"
        Effect   = "Allow"
        Action   = ["kms:ListAliases"]
        Resource = "*"
      },
    ]

    auditor = []
  }

  policies = { for duty in keys(var.trust) : duty => { Version = "2012-10-17", Statement = local.statements[duty] } }
}

resource "aws_iam_role" "duty" {
  for_each = var.trust

  name                 = local.names[each.key]
  path                 = "/chancery/"
  description          = "Chancery ${var.environment}: ${each.key}"
  assume_role_policy   = jsonencode(local.trust[each.key])
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "duty" {
  for_each = toset([for duty in keys(var.trust) : duty if length(local.statements[duty]) > 0])

  name   = "chancery"
  role   = aws_iam_role.duty[each.key].name
  policy = jsonencode(local.policies[each.key])
}
