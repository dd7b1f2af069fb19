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

variable "cluster_issuer" {
  description = "The OpenID Connect issuer of the cluster, without https://: workload identity in Azure goes by it."
  type        = string
  default     = "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9./_-]+$", var.cluster_issuer))
    error_message = "Give the issuer as IAM names it: host and path, without https://."
  }
}

variable "identities" {
  description = "Who may what with the keys in AWS: the `key_identities` output of the identities, which somebody else applied."
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

variable "subscription_id" {
  description = "The Azure subscription."
  type        = string
  default     = "00000000-0000-4000-8000-000000000001"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", var.subscription_id))
    error_message = "A subscription is a lower-case UUID."
  }
}

variable "resource_group" {
  description = "The resource group of the Key Vault: the identities are made in it."
  type        = string
  default     = "chancery"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._()-]{1,90}$", var.resource_group))
    error_message = "Give the resource group's name, not its id."
  }
}

variable "location" {
  description = "Where the identities are made."
  type        = string
  default     = "germanywestcentral"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]+$", var.location))
    error_message = "Give a location in its short form, like germanywestcentral."
  }
}

variable "key_vault_name" {
  description = "The Key Vault: it exists already, with RBAC and purge protection."
  type        = string
  default     = "acme-chancery"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{2,23}$", var.key_vault_name))
    error_message = "A Key Vault is named with letters, digits and -, 3 to 24 characters: its name alone, not its URL."
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
