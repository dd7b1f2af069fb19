# Keys that were imported, by name: what the signer and the rotator may do with each.

locals {
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

  disable_imported = length(local.imported_arns) == 0 ? [] : [
    { Sid = "Disable", Effect = "Allow", Action = ["kms:DisableKey"], Resource = local.imported_arns },
  ]
}
