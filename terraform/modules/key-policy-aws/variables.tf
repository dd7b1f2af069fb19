variable "account_id" {
  description = "The AWS account that the key belongs to."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "Give the account as 12 digits, without dashes."
  }
}

variable "partition" {
  description = "The partition of AWS: aws, aws-cn or aws-us-gov."
  type        = string
  default     = "aws"
  nullable    = false

  validation {
    condition     = contains(["aws", "aws-cn", "aws-us-gov"], var.partition)
    error_message = "Say aws, aws-cn or aws-us-gov."
  }
}

variable "alg" {
  description = "The algorithm (RFC 7518) that the key signs with, and no other."
  type        = string
  nullable    = false

  validation {
    condition     = contains(keys(local.kms_algorithms), var.alg)
    error_message = "AWS KMS signs with ${join(", ", keys(local.kms_algorithms))}: choose one of them."
  }
}

variable "origin" {
  description = "AWS_KMS for keys that KMS makes, EXTERNAL for empty ones that material is imported into."
  type        = string
  default     = "AWS_KMS"
  nullable    = false

  validation {
    condition     = contains(["AWS_KMS", "EXTERNAL"], var.origin)
    error_message = "Say AWS_KMS or EXTERNAL: material in an external key store is outside the vault."
  }
}

variable "state" {
  description = "What the generation may do: pending, enabled, retiring or disabled. Only enabled may sign."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["pending", "enabled", "retiring", "disabled"], var.state)
    error_message = "A generation is pending, enabled, retiring or disabled."
  }
}

variable "identities" {
  description = "The IAM roles, by ARN, that may use the key. A role stands in one list only."
  type = object({
    signers      = list(string)
    rotators     = optional(list(string), [])
    importers    = optional(list(string), [])
    provisioners = list(string)
    auditors     = optional(list(string), [])
    recoverers   = optional(list(string), [])
  })
  nullable = false

  validation {
    condition     = length(var.identities.signers) > 0 && length(var.identities.provisioners) > 0
    error_message = "A key needs a signer, and a provisioner who can change this policy later: name a role for each."
  }

  validation {
    condition     = alltrue([for arn in flatten(values(var.identities)) : can(regex("^arn:${var.partition}:iam::${var.account_id}:role/[A-Za-z0-9+=,.@_/-]+$", arn))])
    error_message = "Name roles of this account by their full ARN, without wildcards: arn:${var.partition}:iam::${var.account_id}:role/…"
  }

  validation {
    condition     = length(setintersection(var.identities.signers, var.identities.rotators)) == 0
    error_message = "A signer is also a rotator: whoever signs must not be able to stop keys, and the job must not sign. Give each a role of its own."
  }

  validation {
    condition     = length(flatten(values(var.identities))) - length(setintersection(var.identities.signers, var.identities.rotators)) == length(distinct(flatten(values(var.identities))))
    error_message = "A role stands in two lists: give each duty a role of its own."
  }
}

variable "account_recovers" {
  description = "True leaves repairing and deleting to IAM: whoever the account allows kms:PutKeyPolicy can then let anybody sign. Name recoverers instead, where you can."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = length(var.identities.recoverers) > 0 || var.account_recovers
    error_message = "Nobody could repair this policy when its roles are gone, nor delete the key: name a role that people take in an emergency under recoverers. account_recovers leaves it to the account's IAM instead, and so to whoever has kms:* there."
  }

  validation {
    condition     = !(var.account_recovers && length(var.identities.recoverers) > 0)
    error_message = "Roles are named under recoverers, and the whole account beside them makes that idle: leave account_recovers out."
  }
}
