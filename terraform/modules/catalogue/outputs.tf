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

  precondition {
    condition     = length(local.missing) == 0
    error_message = "${join(", ", local.missing)} of the catalogue in force is missing, and may still sign or verify: put its module back, take each generation through retiring to disabled, apply, write the catalogue, and remove it after that (runbook Decommission)."
  }

  precondition {
    condition     = length(local.dropped) == 0
    error_message = "${join(", ", local.dropped)} of the catalogue in force is missing, and may still sign or verify: put the generation back, take it through retiring to disabled, and remove it after that."
  }

  precondition {
    condition     = length(local.changed) == 0
    error_message = "${join(", ", local.changed)} has another vault or algorithm than in the catalogue in force: put it back, and make another key for the new one."
  }

  precondition {
    condition     = length(local.moved) == 0
    error_message = "${join(", ", local.moved)} is another key of the vault than in the catalogue in force, and versions are pinned: import the old one into the state again, or append a new generation."
  }

  precondition {
    condition     = length(local.back) == 0
    error_message = "${join(", ", local.back)} goes back to a state that the catalogue in force says it has left: states go pending, enabled, retiring, disabled, and never back. Put the state back, and append a new generation."
  }

  precondition {
    condition     = length(local.inserted) == 0
    error_message = "${join(", ", local.inserted)} sorts before a generation of the catalogue in force, and would take its number: name it after the last one."
  }

  precondition {
    condition     = length(local.resized) == 0
    error_message = "${join(", ", local.resized)} has another size or protection than in the catalogue in force, which no key changes: put it back, and make another key for the new one."
  }

  precondition {
    condition     = length(local.forgiven) == 0
    error_message = "${join(", ", local.forgiven)} is revoked by the catalogue in force, and a store from a backup would let it sign again: put the digest back under revoked, where it stays for ever."
  }
}

output "planned_catalogue" {
  description = "key_catalogue as a plan knows it, without resources: for `chancery catalogue check` before the apply, and for nothing else."
  value       = local.planned
}
