output "key_catalogue" {
  description = "The catalogue: terraform output -json key_catalogue > catalogue.json"
  value       = local.catalogue

  precondition {
    condition     = length(distinct(local.resources)) == length(local.resources)
    error_message = "One key of a vault stands in the catalogue twice: a generation has a key of its own."
  }

  precondition {
    condition     = alltrue([for resource in local.resources : can(regex(local.arn, resource)) || can(regex(local.vault_key_id, resource))])
    error_message = "A resource is neither the ARN of a KMS key nor a Key Vault key id without version: take it from the key module, never from an alias or `id`."
  }
}
