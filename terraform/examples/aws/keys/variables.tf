variable "environment" {
  description = "The environment, as in Chancery's configuration."
  type        = string
  default     = "prod"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}$", var.environment))
    error_message = "An environment is named with a-z, 0-9 and -, at most 31, like prod."
  }
}

variable "account_id" {
  description = "The AWS account."
  type        = string
  default     = "111122223333"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "Give the account as 12 digits, without dashes."
  }
}

variable "region" {
  description = "The region that the keys are in."
  type        = string
  default     = "eu-central-1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$", var.region))
    error_message = "Name a region of AWS, like eu-central-1."
  }
}

variable "identities" {
  description = "Who may what with the keys: the `key_identities` output of the identities, which somebody else applied."
  type = object({
    signers      = list(string)
    rotators     = optional(list(string), [])
    importers    = optional(list(string), [])
    provisioners = list(string)
    auditors     = optional(list(string), [])
    recoverers   = list(string)
  })
  nullable = false

  validation {
    condition     = alltrue([for arn in flatten(values(var.identities)) : strcontains(arn, ":${var.account_id}:role/")])
    error_message = "An identity is of another account: take the key_identities that the identities of this one put out."
  }

  validation {
    condition     = alltrue(flatten([for duties, arns in var.identities : [for arn in arns : endswith(arn, "/chancery-${var.environment}-${trimsuffix(duties, "s")}")] if duties != "recoverers"]))
    error_message = "An identity is of another environment or duty: take the key_identities that the identities of this one put out."
  }
}

variable "reports_generations" {
  description = "Every generation of the key `reports`. Append only: pending, enabled, retiring, disabled."
  type = map(object({
    state   = string
    initial = optional(bool)
    created = optional(string)
    name    = optional(string)
  }))
  default = {
    "2026-09" = { state = "enabled", initial = true, created = "2026-09-01" }
    "2027-03" = { state = "enabled" }
  }
  nullable = false

  validation {
    condition     = length(var.reports_generations) > 0
    error_message = "A key has at least one generation: add one, like { \"2026-09\" = { state = \"enabled\" } }."
  }
}

variable "first_apply" {
  description = "True for the very first apply, when there is no catalogue in force yet; never again."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = var.first_apply || fileexists("${path.module}/catalogue.json")
    error_message = "catalogue.json is missing, and without it nobody sees what disappears: take it from your repository, or write it anew (terraform output -json key_catalogue > catalogue.json). Only before the very first apply there is none: -var first_apply=true."
  }

  validation {
    condition     = !(var.first_apply && fileexists("${path.module}/catalogue.json"))
    error_message = "There is a catalogue.json, so this is not the first apply: leave first_apply out."
  }
}
