variable "environment" {
  description = "The environment that the catalogue is for: Chancery refuses another one's."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}$", var.environment))
    error_message = "An environment is named with a-z, 0-9 and -, at most 31, like prod."
  }
}

variable "keys" {
  description = "By key name: the `catalogue_key` outputs of the key modules."
  type = map(object({
    environment = string
    vault       = string
    alg         = string
    spec        = optional(string)
    generations = map(object({
      resource          = string
      state             = string
      initial           = optional(bool)
      public_key_sha256 = optional(string)
      created           = optional(string)
    }))
  }))
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.keys) : can(regex("^[a-z][a-z0-9-]{0,62}$", name))])
    error_message = "A key is named with a-z, 0-9 and -, a letter first, at most 63, like contentful-blog."
  }

  validation {
    condition     = alltrue([for one in values(var.keys) : one.environment == var.environment])
    error_message = "A key of another environment is in this catalogue: write one catalogue per environment."
  }

  validation {
    condition     = alltrue(flatten([for one in values(var.keys) : [for what in values(one.generations) : contains(local.states, what.state)]]))
    error_message = "A generation is pending, enabled, retiring or disabled: hand on what the key module says."
  }
}

variable "revoked" {
  description = "SHA-256 digests (base64url) of public keys that must never sign again, in any environment or key: `chancery sync` revokes them."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for digest in var.revoked : can(regex("^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$", digest))])
    error_message = "A revoked public key is named by base64url of its SHA-256, 43 characters: the contentful form of `chancery fingerprint`."
  }

  validation {
    condition     = length(distinct(var.revoked)) == length(var.revoked)
    error_message = "A digest is listed twice: list it once."
  }
}

variable "meta" {
  description = "Whatever the writer of the catalogue wants to keep there; Chancery does not look at it."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for value in values(var.meta) : length(value) <= 256])
    error_message = "A remark has at most 256 characters: keep documents elsewhere, and link to them."
  }

  validation {
    condition     = !contains(keys(var.meta), "specs")
    error_message = "specs under meta is this module's own: choose another name."
  }
}

variable "previous_catalogue" {
  description = "The catalogue in force, decoded (jsondecode(file(\"catalogue.json\"))): nothing that it lets sign may disappear. Null for the first apply only."
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

variable "first_apply" {
  description = "True for the very first apply, when there is no catalogue in force yet; never again."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = var.first_apply || var.previous_catalogue != null
    error_message = "No catalogue in force was given, and without it nobody sees what disappears: give jsondecode(file(\"catalogue.json\")), or first_apply = true where there never was one."
  }

  validation {
    condition     = !(var.first_apply && var.previous_catalogue != null)
    error_message = "There is a catalogue in force, so this is not the first apply: leave first_apply out."
  }
}
