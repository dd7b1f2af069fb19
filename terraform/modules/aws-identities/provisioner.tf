# The CI system that applies the keys. A key that is yet to be made has no name, and KMS knows no resource for
# CreateKey: `*` is the only one that it takes, so conditions narrow it instead. What the provisioner may do with
# a key that exists stands on that key (key-policy-aws).
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html

locals {
  # Every tag that the key modules put on a key, and what the team puts beside them.
  provisioned_tags = sort(concat(["chancery:environment", "chancery:generation", "chancery:key"], var.tag_names))

  provisioner = concat(
    [
      {
        Sid      = "CreateSigningKeys"
        Effect   = "Allow"
        Action   = ["kms:CreateKey"]
        Resource = "*"
        Condition = {
          StringEquals = {
            "aws:RequestTag/chancery:environment" = var.environment
            "aws:RequestedRegion"                 = var.region
            "kms:KeyUsage"                        = ["GENERATE_VERIFY_MAC", "SIGN_VERIFY"]
          }
          # Terraform's provider names no origin for a key that KMS is to make, which is KMS's default.
          StringEqualsIfExists        = { "kms:KeyOrigin" = ["AWS_KMS", "EXTERNAL"] }
          "ForAllValues:StringEquals" = { "aws:TagKeys" = local.provisioned_tags }
        }
      },
      {
        # KMS has no permission to tag at creation only, so a key that has no environment is reached, too.
        # Other teams' policies may go by other tags: these names alone are put on it.
        # https://docs.aws.amazon.com/kms/latest/developerguide/tag-permissions.html
        Sid      = "TagThemAsTheyAreMade"
        Effect   = "Allow"
        Action   = ["kms:TagResource"]
        Resource = local.keys
        Condition = {
          StringEquals                = { "aws:RequestTag/chancery:environment" = var.environment }
          StringEqualsIfExists        = { "aws:ResourceTag/chancery:environment" = var.environment }
          "ForAllValues:StringEquals" = { "aws:TagKeys" = local.provisioned_tags }
        }
      },
      {
        # An intent is what lets an importer sign: no key gets one, or loses it, by Terraform.
        Sid       = "NeverAnIntent"
        Effect    = "Deny"
        Action    = ["kms:CreateKey", "kms:TagResource", "kms:UntagResource"]
        Resource  = "*"
        Condition = { "ForAnyValue:StringEquals" = { "aws:TagKeys" = ["chancery:intent"] } }
      },
      {
        Sid      = "NameThem"
        Effect   = "Allow"
        Action   = ["kms:CreateAlias", "kms:DeleteAlias"]
        Resource = "arn:${var.partition}:kms:${var.region}:${var.account_id}:alias/chancery/${var.environment}/*"
      },
      {
        Sid       = "SeeAliases"
        Effect    = "Allow"
        Action    = ["kms:ListAliases"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:RequestedRegion" = var.region } }
      },
    ],
    local.never,
  )
}
