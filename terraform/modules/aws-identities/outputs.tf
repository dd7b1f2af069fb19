output "key_identities" {
  description = "The roles by duty, in the form that aws-kms-signing-key takes."
  value = {
    signers      = [aws_iam_role.duty["signer"].arn]
    rotators     = [for duty, role in aws_iam_role.duty : role.arn if duty == "rotator"]
    importers    = [for duty, role in aws_iam_role.duty : role.arn if duty == "importer"]
    provisioners = [aws_iam_role.duty["provisioner"].arn]
    auditors     = [for duty, role in aws_iam_role.duty : role.arn if duty == "auditor"]
    recoverers   = var.recoverers
  }
}

output "role_arns" {
  description = "By duty, the role's ARN: for the annotation of a service account, or a CI job."
  value       = { for duty, role in aws_iam_role.duty : duty => role.arn }
}

output "policies" {
  description = "By duty, who takes the role and what it may do apart from keys, for review."
  value       = { for duty in keys(var.trust) : duty => { trust = local.trust[duty], policy = local.policies[duty] } }
}
