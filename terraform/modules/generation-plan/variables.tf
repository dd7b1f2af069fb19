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

variable "vault_provider" {
  description = "The family of vaults that holds the key: aws-kms or azure-key-vault."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["aws-kms", "azure-key-vault"], var.vault_provider)
    error_message = "Say aws-kms or azure-key-vault."
  }
}

variable "alg" {
  description = "The algorithm that the key signs with (RFC 7518). It stays for ever: another algorithm is another key."
  type        = string
  nullable    = false

  validation {
    condition     = contains(local.known_algorithms, var.alg)
    error_message = "Chancery knows ${join(", ", local.known_algorithms)}: choose one of them."
  }

  validation {
    condition     = !(startswith(var.alg, "HS") && var.vault_provider == "azure-key-vault")
    error_message = "Key Vault makes no HMAC: keep this key in AWS KMS or in a local vault, or choose an RSA or EC algorithm."
  }

  validation {
    condition     = !(var.alg == "EdDSA" && var.vault_provider == "azure-key-vault")
    error_message = "Key Vault has no Ed25519: keep this key in AWS KMS, or choose ES256."
  }

  validation {
    condition     = var.alg == try(local.previous_key.alg, var.alg)
    error_message = "The catalogue in force says another algorithm: put it back, and make another key for the new one."
  }
}

variable "modulus_bits" {
  description = "The size of an RSA key: 2048, 3072 or 4096; null for every other algorithm."
  type        = number
  default     = null

  validation {
    condition     = var.modulus_bits == null || contains(["R", "P"], substr(var.alg, 0, 1))
    error_message = "Only RSA keys have a size to choose: leave modulus_bits out."
  }

  validation {
    condition     = var.modulus_bits == null || contains([2048, 3072, 4096], coalesce(var.modulus_bits, 0))
    error_message = "Vaults make RSA keys of 2048, 3072 and 4096 bits: choose one, 4096 for Contentful."
  }
}

variable "spec" {
  description = "What the vault calls keys of this kind, like RSA_3072 or EC P-256: it stays for ever. Null where nobody checks it."
  type        = string
  default     = null

  validation {
    condition     = var.spec == null || var.spec == try(var.previous_catalogue.meta.specs[var.key], var.spec)
    error_message = "The catalogue in force says another size or protection, which no key changes: put it back, and make another key for the new one."
  }
}

variable "generations" {
  description = "Every generation that the key ever had, by a date that sorts. Append only: state goes pending, enabled, retiring, disabled."
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

  validation {
    condition     = alltrue([for name in keys(var.generations) : can(regex(local.sortable, name))])
    error_message = "Versions are numbered in the order of these names: name a generation by its date, 2026-09 or 2026-09-15."
  }

  validation {
    condition     = alltrue([for one in values(var.generations) : contains(local.states, one.state)])
    error_message = "A generation is pending, enabled, retiring or disabled."
  }

  validation {
    condition     = length([for one in values(var.generations) : true if one.initial == true]) <= 1
    error_message = "One generation signs first: leave initial on one of them."
  }

  validation {
    condition     = alltrue([for name in keys(var.generations) : can(formatdate("YYYY", "${substr("${name}-01", 0, 10)}T00:00:00Z")) || !can(regex(local.sortable, name))])
    error_message = "A generation is named by a day that no calendar has: name it by the day that it is made, like 2026-09-15, or by the month."
  }

  validation {
    condition     = alltrue([for one in values(var.generations) : one.created == null || can(regex("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", one.created))])
    error_message = "created is a date: write it like 2026-09-01."
  }

  validation {
    condition     = alltrue([for one in values(var.generations) : !can(regex("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", one.created)) || can(formatdate("YYYY", "${one.created}T00:00:00Z"))])
    error_message = "created is a day that no calendar has: correct it, or leave it out."
  }

  validation {
    condition     = alltrue([for one in values(var.generations) : one.public_key_sha256 == null || can(regex("^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$", one.public_key_sha256))])
    error_message = "public_key_sha256 is base64url of a SHA-256, 43 characters: take it from `chancery fingerprint`, the contentful form."
  }

  # Key Vault does not tell Reports from reports: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates
  validation {
    condition     = length(distinct([for generation, one in var.generations : var.vault_provider == "azure-key-vault" ? lower(coalesce(one.name, "${local.prefix}${generation}")) : coalesce(one.name, "${local.prefix}${generation}")])) == length(var.generations)
    error_message = "Two generations have one name in the vault: leave `name` out, or give each its own."
  }

  # https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#object-identifiers
  validation {
    condition     = var.vault_provider != "azure-key-vault" || alltrue([for generation, one in var.generations : can(regex("^[0-9a-zA-Z-]{1,127}$", coalesce(one.name, "${local.prefix}${generation}")))])
    error_message = "A name in a Key Vault has letters, digits and -, at most 127: write - for what is something else, or leave `name` out."
  }

  # https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html; the folder before it takes the rest of the 256.
  validation {
    condition     = var.vault_provider != "aws-kms" || alltrue([for generation, one in var.generations : can(regex("^[A-Za-z0-9/_-]{1,127}$", coalesce(one.name, "${local.prefix}${generation}")))])
    error_message = "A name in AWS KMS has letters, digits, /, _ and -, at most 127: write - for what is something else, or leave `name` out."
  }

  validation {
    condition     = alltrue([for name, one in local.previous : contains(keys(var.generations), name) || one.state == "disabled"])
    error_message = "A generation of the catalogue in force is missing and may still sign or verify: put it back, take it through retiring to disabled, and remove it after that."
  }

  validation {
    condition     = alltrue([for name in keys(var.generations) : contains(keys(local.previous), name) || reverse(sort(concat(keys(local.previous), [name])))[0] == name])
    error_message = "A new generation sorts before one that exists, and would take its number: name it after the last one."
  }

  validation {
    condition     = alltrue([for name, one in local.previous : index(local.states, var.generations[name].state) >= index(local.states, one.state) if can(index(local.states, var.generations[name].state))])
    error_message = "A generation goes back to a state that it has left: states go pending, enabled, retiring, disabled, and never back. Leave it where the catalogue in force has it, and append a new generation."
  }
}

variable "without_enabled" {
  description = "True for a key that is being prepared (all pending) or given up (none enabled any more)."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = var.without_enabled || anytrue([for one in values(var.generations) : one.state == "enabled"])
    error_message = "No generation may sign: enable one, or set without_enabled for a key that is being prepared or given up."
  }

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

  validation {
    condition     = var.previous_catalogue == null || can(keys(var.previous_catalogue.keys))
    error_message = "The catalogue in force has no keys, and so protects none: give all that `terraform output -json key_catalogue` wrote."
  }
}
