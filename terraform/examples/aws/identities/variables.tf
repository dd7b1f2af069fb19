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
  description = "The OpenID Connect issuer of the cluster, without https://: IRSA goes by it."
  type        = string
  default     = "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9./_-]+$", var.cluster_issuer))
    error_message = "Give the issuer as IAM names it: host and path, without https://."
  }
}

variable "importer_until" {
  description = "Until when somebody imports (RFC 3339); null, as usual, where nobody does."
  type        = string
  default     = null

  validation {
    condition     = var.importer_until == null || can(timeadd(var.importer_until, "0s"))
    error_message = "Write an instant of RFC 3339, like 2026-09-30T18:00:00Z."
  }
}

variable "recoverers" {
  description = "Roles that exist already, by ARN, which people take in an emergency: they may repair a key's policy."
  type        = list(string)
  default     = ["arn:aws:iam::111122223333:role/break-glass"]
  nullable    = false

  validation {
    condition     = length(var.recoverers) > 0
    error_message = "Without a recoverer nobody could repair a key's policy when its roles are gone: name a role that people take in an emergency."
  }
}
