output "key_identities" {
  description = "The roles by duty, for the root of the keys: its `identities`."
  value       = module.identities.key_identities
}

output "role_arns" {
  description = "By duty, the role's ARN: for the annotation of a service account."
  value       = module.identities.role_arns
}

output "policies" {
  description = "By duty, who takes the role, and what it may do apart from keys, for review."
  value       = module.identities.policies
}
