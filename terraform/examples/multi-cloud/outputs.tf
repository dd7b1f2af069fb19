output "key_catalogue" {
  description = "The catalogue: terraform output -json key_catalogue > catalogue.json"
  value       = module.catalogue.key_catalogue
}

output "planned_catalogue" {
  description = "The same before the apply: for `chancery catalogue check`."
  value       = module.catalogue.planned_catalogue
}

output "client_ids" {
  description = "By duty, the Azure client id: for the annotation of a service account."
  value       = { for duty, identity in azurerm_user_assigned_identity.duty : duty => identity.client_id }
}
