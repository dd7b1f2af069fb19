# Pure: the policy of one KMS key. It is the only place that lets anybody use the key: it does not hand
# the decision to IAM, so no other policy of the account can add a signer.
# https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html

locals {
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
  kms_algorithm = local.kms_algorithms[var.alg]

  is_mac        = startswith(var.alg, "HS")
  sign          = local.is_mac ? "kms:GenerateMac" : "kms:Sign"
  algorithm_key = local.is_mac ? "kms:MacAlgorithm" : "kms:SigningAlgorithm"

  # Chancery sends up to 4,096 bytes as they are and the digest of more; Ed25519 has no digest.
  message_types = var.alg == "EdDSA" ? ["RAW"] : ["DIGEST", "RAW"]

  # An HMAC key has no public half.
  read = local.is_mac ? ["kms:DescribeKey"] : ["kms:DescribeKey", "kms:GetPublicKey"]

  may_sign = var.state == "enabled"
  account  = "arn:${var.partition}:iam::${var.account_id}:root"

  # Reading carries no algorithm: a condition on one would refuse it, so it is a statement of its own.
  allowed = [
    for statement in [
      {
        sid        = "Sign"
        principals = local.may_sign ? var.identities.signers : []
        actions    = [local.sign]
        condition = {
          StringEquals = merge(
            { (local.algorithm_key) = local.kms_algorithm },
            local.is_mac ? {} : { "kms:MessageType" = local.message_types },
          )
        }
      },
      {
        sid        = "Read"
        principals = concat(var.identities.signers, var.identities.rotators, var.identities.importers)
        actions    = local.read
        condition  = null
      },
      {
        sid        = "Disable"
        principals = var.identities.rotators
        actions    = ["kms:DisableKey"]
        condition  = null
      },
      {
        sid        = "AskToImport"
        principals = var.origin == "EXTERNAL" && var.state == "pending" ? var.identities.importers : []
        actions    = ["kms:GetParametersForImport"]
        condition = {
          StringEquals = {
            "kms:WrappingAlgorithm" = ["RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256"]
            "kms:WrappingKeySpec"   = "RSA_4096"
          }
        }
      },
      {
        sid        = "Import"
        principals = var.origin == "EXTERNAL" && var.state == "pending" ? var.identities.importers : []
        actions    = ["kms:ImportKeyMaterial"]
        condition = {
          StringEquals = { "kms:ExpirationModel" = "KEY_MATERIAL_DOES_NOT_EXPIRE" }
        }
      },
      {
        sid        = "Audit"
        principals = var.identities.auditors
        actions    = concat(local.read, ["kms:GetKeyPolicy", "kms:ListResourceTags"])
        condition  = null
      },
      {
        sid        = "Provision"
        principals = var.identities.provisioners
        actions = concat(local.read, [
          "kms:CreateAlias",
          "kms:DeleteAlias",
          "kms:GetKeyPolicy",
          "kms:GetKeyRotationStatus",
          "kms:ListResourceTags",
          "kms:PutKeyPolicy",
          "kms:TagResource",
          "kms:UntagResource",
          "kms:UpdateKeyDescription",
        ])
        condition = null
      },
      {
        # For people, in an emergency: nobody else could ever repair a policy whose roles are gone.
        sid        = "Recover"
        principals = var.account_recovers ? [local.account] : var.identities.recoverers
        actions = [
          "kms:CancelKeyDeletion",
          "kms:DescribeKey",
          "kms:DisableKey",
          "kms:EnableKey",
          "kms:GetKeyPolicy",
          "kms:PutKeyPolicy",
          "kms:ScheduleKeyDeletion",
        ]
        condition = null
      },
    ] : statement if length(statement.principals) > 0
  ]

  # Belts: they hold when somebody adds a statement above them later.
  denied = concat(
    [
      merge(
        { sid = "NobodyElseSigns", actions = ["kms:GenerateMac", "kms:Sign"] },
        local.may_sign ? { condition = { ArnNotEquals = { "aws:PrincipalArn" = sort(var.identities.signers) } } } : {},
      ),
      {
        sid       = "NoOtherAlgorithm"
        actions   = [local.sign]
        condition = { StringNotEquals = { (local.algorithm_key) = local.kms_algorithm } }
      },
      {
        # Who puts a policy stays able to put another: nobody can lock all others out.
        sid       = "NeverWithoutTheLockoutCheck"
        actions   = ["kms:PutKeyPolicy"]
        condition = { Bool = { "kms:BypassPolicyLockoutSafetyCheck" = "true" } }
      },
      {
        # An importer's IAM policy goes by this tag: no key that Terraform made gets it.
        sid       = "NeverAnIntent"
        actions   = ["kms:TagResource", "kms:UntagResource"]
        condition = { "ForAnyValue:StringEquals" = { "aws:TagKeys" = ["chancery:intent"] } }
      },
      {
        sid = "SignOnly"
        actions = [
          "kms:CreateGrant",
          "kms:Decrypt",
          "kms:DeriveSharedSecret",
          "kms:Encrypt",
          "kms:GenerateDataKey",
          "kms:GenerateDataKeyPair",
          "kms:GenerateDataKeyPairWithoutPlaintext",
          "kms:GenerateDataKeyWithoutPlaintext",
          "kms:ReEncryptFrom",
          "kms:ReEncryptTo",
          "kms:ReplicateKey",
          "kms:UpdatePrimaryRegion",
        ]
      },
    ],
  )

  # In a key's own policy `*` as the resource is this key, and nothing else.
  statements = concat(
    [
      for statement in local.allowed : merge(
        {
          Sid       = statement.sid
          Effect    = "Allow"
          Principal = { AWS = sort(statement.principals) }
          Action    = sort(statement.actions)
          Resource  = "*"
        },
        statement.condition == null ? {} : { Condition = statement.condition },
      )
    ],
    [
      for statement in local.denied : merge(
        {
          Sid       = statement.sid
          Effect    = "Deny"
          Principal = { AWS = ["*"] }
          Action    = statement.actions
          Resource  = "*"
        },
        can(statement.condition) ? { Condition = statement.condition } : {},
      )
    ],
  )
}
