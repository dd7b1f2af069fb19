output "key_catalogue" {
  description = "The catalogue: terraform output -json key_catalogue > catalogue.json"
  value       = module.catalogue.key_catalogue
}

output "role_arns" {
  description = "By duty, the role's ARN: for the annotation of a service account."
  value       = module.identities.role_arns
}

output "policies" {
  description = "Everything that the identities may do, for review."
  value = {
    identities = module.identities.policies
    keys       = { reports = module.reports.policies, documents = module.documents.policies }
  }
}
