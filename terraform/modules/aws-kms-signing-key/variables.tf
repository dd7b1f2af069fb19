variable "environment" {
  description = "The environment that the key belongs to, as in Chancery's configuration."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}$", var.environment))
    error_message = "An environment is named with a-z, 0-9 and -, at most 31, like prod."
  }
}

variable "key" {
  description = "The key's name: what callers say. It stays for ever."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.key))
    error_message = "A key is named with a-z, 0-9 and -, a letter first, at most 63, like contentful-blog."
  }
}

variable "vault" {
  description = "The name of the vault in Chancery's configuration."
  type        = string
  default     = "aws"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.vault))
    error_message = "A vault is named with a-z, 0-9 and -, a letter first, as under vaults: in chancery.yaml."
  }
}

variable "alg" {
  description = "The algorithm that the key signs with (RFC 7518). It stays for ever: another algorithm is another key."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"], var.alg)
    error_message = "AWS KMS signs with RS, PS or ES 256, 384 and 512, EdDSA and HS256, HS384, HS512: choose one of them."
  }
}

variable "modulus_bits" {
  description = "The size of an RSA key: 2048, 3072 (where nothing is said) or 4096; null for every other algorithm."
  type        = number
  default     = null

  validation {
    condition     = var.modulus_bits == null || contains([2048, 3072, 4096], coalesce(var.modulus_bits, 0))
    error_message = "AWS KMS makes RSA keys of 2048, 3072 and 4096 bits: choose one, 4096 for Contentful."
  }
}

variable "origin" {
  description = "AWS_KMS for keys that KMS makes; EXTERNAL for empty ones, pending until material is imported from outside of Terraform."
  type        = string
  default     = "AWS_KMS"
  nullable    = false

  validation {
    condition     = contains(["AWS_KMS", "EXTERNAL"], var.origin)
    error_message = "Say AWS_KMS or EXTERNAL: material in an external key store is outside the vault."
  }
}

variable "generations" {
  description = "Every generation that the key ever had, by a date that sorts. Append only: state goes pending, enabled, retiring, disabled. `name` is the alias below alias/chancery/<environment>/."
  type = map(object({
    state             = string
    initial           = optional(bool)
    created           = optional(string)
    public_key_sha256 = optional(string)
    name              = optional(string)
  }))
  nullable = false

  validation {
    condition     = length(var.generations) > 0
    error_message = "A key has at least one generation: add one, like { \"2026-09\" = { state = \"enabled\" } }."
  }
}

variable "without_enabled" {
  description = "True for a key that is being prepared (all pending) or given up (none enabled any more)."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.without_enabled || !anytrue([for one in values(var.generations) : one.state == "enabled"])
    error_message = "A generation is enabled: set without_enabled back to false."
  }
}

variable "previous_catalogue" {
  description = "The catalogue in force, decoded (jsondecode(file(\"catalogue.json\"))): nothing that it lets sign may disappear. Null when there is none."
  type        = any
  default     = null

  validation {
    condition     = var.previous_catalogue == null || try(var.previous_catalogue.environment, "") == var.environment
    error_message = "The catalogue in force is another environment's: give the one that this environment wrote."
  }
}

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

variable "identities" {
  description = "The IAM roles, by ARN, that may use the key: the `key_identities` output of aws-identities. A role stands in one list only."
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
    condition     = length(setintersection(var.identities.signers, var.identities.rotators)) == 0
    error_message = "A signer is also a rotator: whoever signs must not be able to stop keys, and the job must not sign. Give each a role of its own."
  }
}

variable "account_recovers" {
  description = "True leaves repairing and deleting to IAM, instead of to recoverers: see key-policy-aws before you do."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = length(var.identities.recoverers) > 0 || var.account_recovers
    error_message = "Nobody could repair the keys' policies when their roles are gone: name a role that people take in an emergency under recoverers."
  }

  validation {
    condition     = !(var.account_recovers && length(var.identities.recoverers) > 0)
    error_message = "Roles are named under recoverers, and the whole account beside them makes that idle: leave account_recovers out."
  }
}

variable "deletion_window_in_days" {
  description = "How long KMS waits after somebody schedules a key's deletion, 7 to 30 days."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.deletion_window_in_days >= 7 && var.deletion_window_in_days <= 30
    error_message = "KMS waits 7 to 30 days: 30 leaves most time to notice a mistake."
  }
}

variable "tags" {
  description = "Tags for every KMS key, besides our own chancery:environment, chancery:key and chancery:generation. The provisioner may put those alone that aws-identities has under tag_names."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.tags) : !startswith(name, "chancery:")])
    error_message = "Tags that begin with chancery: are this module's own: choose another name."
  }
}
