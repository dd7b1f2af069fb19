output "key_catalogue" {
  description = "The catalogue: terraform output -json key_catalogue > catalogue.json"
  value       = module.catalogue.key_catalogue
}

output "planned_catalogue" {
  description = "The same before the apply: for `chancery catalogue check`."
  value       = module.catalogue.planned_catalogue
}

output "aliases" {
  description = "By key and generation, the alias of its KMS key, for people."
  value       = local.aliases

  precondition {
    condition     = length(distinct(local.names)) == length(local.names)
    error_message = "Two keys have one alias: leave `name` out of their generations, or begin each with the name of its own key."
  }
}

output "policies" {
  description = "Everything that the identities may do with the keys, for review."
  value       = { reports = module.reports.policies, documents = module.documents.policies }
}
