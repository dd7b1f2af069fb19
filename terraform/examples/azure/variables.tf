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

variable "cluster_issuer" {
  description = "The OpenID Connect issuer of the cluster: workload identity goes by it."
  type        = string
  default     = "https://germanywestcentral.oic.prod-aks.azure.com/00000000-0000-4000-8000-000000000002/"
  nullable    = false

  validation {
    condition     = can(regex("^https://[A-Za-z0-9./_-]+$", var.cluster_issuer))
    error_message = "Give the issuer's URL: https://…"
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
