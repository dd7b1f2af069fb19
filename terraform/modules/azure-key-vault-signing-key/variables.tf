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
  default     = "azure"
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
    condition     = !startswith(var.alg, "HS")
    error_message = "Key Vault makes no HMAC: keep this key in AWS KMS or in a local vault, or choose an RSA or EC algorithm."
  }

  validation {
    condition     = startswith(var.alg, "HS") || contains(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"], var.alg)
    error_message = "Key Vault signs with RS, PS or ES 256, 384 and 512: choose one of them."
  }
}

variable "modulus_bits" {
  description = "The size of an RSA key: 2048, 3072 (where nothing is said) or 4096; null for every other algorithm."
  type        = number
  default     = null

  validation {
    condition     = var.modulus_bits == null || contains([2048, 3072, 4096], coalesce(var.modulus_bits, 0))
    error_message = "Key Vault makes RSA keys of 2048, 3072 and 4096 bits: choose one, 4096 for Contentful."
  }
}

variable "protection" {
  description = "software, or hsm for keys that a premium vault keeps in its HSMs."
  type        = string
  default     = "software"
  nullable    = false

  validation {
    condition     = contains(["software", "hsm"], var.protection)
    error_message = "Say software, or hsm for a premium Key Vault."
  }
}

variable "generations" {
  description = "Every generation that the key ever had, by a date that sorts. Append only: state goes pending, enabled, retiring, disabled. `name` is the name in the Key Vault."
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

  validation {
    condition     = var.previous_catalogue == null || can(keys(var.previous_catalogue.keys))
    error_message = "The catalogue in force has no keys, and so protects none: give all that `terraform output -json key_catalogue` wrote."
  }
}

variable "key_vault" {
  description = "The Key Vault that holds the keys: it exists already, with RBAC and purge protection."
  type = object({
    name                = string
    resource_group_name = string
  })
  nullable = false

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{2,23}$", var.key_vault.name))
    error_message = "A Key Vault is named with letters, digits and -, 3 to 24 characters: its name alone, not its URL."
  }
}

variable "identities" {
  description = "The principals that may use the key: by a name of yours, which stays for ever, the object id. A principal has one duty. Importing needs the whole vault, and is not given here."
  type = object({
    signers  = map(string)
    rotators = optional(map(string), {})
    auditors = optional(map(string), {})
  })
  nullable = false

  validation {
    condition     = length(var.identities.signers) > 0
    error_message = "A key needs a signer: name the object id of the service's identity, like { serve = azurerm_user_assigned_identity.serve.principal_id }."
  }

  validation {
    condition     = alltrue([for name in flatten([for principals in values(var.identities) : keys(principals)]) : can(regex("^[a-z][a-z0-9-]{0,62}$", name))])
    error_message = "A principal is named with a-z, 0-9 and -, a letter first, at most 63, like serve: the address of its role in the state goes by that."
  }

  validation {
    condition     = alltrue([for id in flatten([for principals in values(var.identities) : values(principals)]) : can(regex("^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", id))])
    error_message = "Name principals by their object id, a lower-case UUID: principal_id of a managed identity, not its client id."
  }

  validation {
    condition     = length(setintersection(values(var.identities.signers), values(var.identities.rotators))) == 0
    error_message = "A signer is also a rotator: whoever signs must not be able to stop keys, and the job must not sign. Give each an identity of its own."
  }

  validation {
    condition     = length(flatten([for principals in values(var.identities) : values(principals)])) - length(setintersection(values(var.identities.signers), values(var.identities.rotators))) == length(distinct(flatten([for principals in values(var.identities) : values(principals)])))
    error_message = "A principal stands there twice: give each duty an identity of its own, and name each once."
  }
}

variable "tags" {
  description = "Tags for every key, besides our own chancery:environment, chancery:key and chancery:generation."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.tags) : !startswith(name, "chancery:")])
    error_message = "Tags that begin with chancery: are this module's own: choose another name."
  }
}
