variable "environment" {
  description = "The environment that the identities are of, as in Chancery's configuration."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}$", var.environment))
    error_message = "An environment is named with a-z, 0-9 and -, at most 31, like prod."
  }
}

variable "account_id" {
  description = "The AWS account that the roles and keys belong to."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "Give the account as 12 digits, without dashes."
  }
}

variable "region" {
  description = "The region that the keys are in."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$", var.region))
    error_message = "Name a region of AWS, like eu-central-1."
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

variable "trust" {
  description = "Who takes which role, proved by a token of an OpenID Connect provider that the account knows: IRSA (system:serviceaccount:NAMESPACE:NAME) or a CI system. Leave a duty out that nobody has; signer and provisioner are needed. `until` (RFC 3339) ends it: the importer needs one."
  type = map(object({
    provider_arn = string
    subject      = string
    audience     = optional(string, "sts.amazonaws.com")
    until        = optional(string)
  }))
  nullable = false

  validation {
    condition     = length(setsubtract(keys(var.trust), ["signer", "rotator", "importer", "provisioner", "auditor"])) == 0
    error_message = "The duties are signer, rotator, importer, provisioner and auditor."
  }

  validation {
    condition     = length(setsubtract(["signer", "provisioner"], keys(var.trust))) == 0
    error_message = "A key needs a signer, and a provisioner who can change its policy later: name who takes these roles."
  }

  validation {
    condition     = alltrue([for one in values(var.trust) : can(regex("^arn:${var.partition}:iam::${var.account_id}:oidc-provider/[A-Za-z0-9./_-]+$", one.provider_arn))])
    error_message = "Name an OpenID Connect provider of this account by its ARN: arn:${var.partition}:iam::${var.account_id}:oidc-provider/…"
  }

  validation {
    condition     = alltrue([for one in values(var.trust) : can(regex("^[^*?]{1,255}$", one.subject)) && can(regex("^[^*?]{1,255}$", one.audience))])
    error_message = "A subject and an audience are exact, without * and ?: whoever matches a pattern would get the role."
  }

  validation {
    condition     = try("${var.trust.rotator.provider_arn} ${var.trust.rotator.subject}" != "${var.trust.signer.provider_arn} ${var.trust.signer.subject}", true)
    error_message = "The signer is also the rotator: run serve and the job as two service accounts, so that whoever signs cannot stop keys and the job cannot sign."
  }

  validation {
    condition     = length(distinct([for duty, one in var.trust : "${one.provider_arn} ${one.subject}" if duty != "rotator"])) == length(setsubtract(keys(var.trust), ["rotator"])) && !contains([for duty, one in var.trust : "${one.provider_arn} ${one.subject}" if !contains(["signer", "rotator"], duty)], try("${var.trust.rotator.provider_arn} ${var.trust.rotator.subject}", ""))
    error_message = "One subject has two duties: give each duty a service account, or a CI environment, of its own."
  }

  validation {
    condition     = alltrue([for one in values(var.trust) : one.until == null || can(timeadd(one.until, "0s"))])
    error_message = "Write `until` as an instant of RFC 3339, like 2026-09-30T18:00:00Z."
  }

  validation {
    condition     = try(var.trust.importer.until != null, true)
    error_message = "The importer signs with what it imports: say until when it is needed (until = \"2026-09-30T18:00:00Z\"), and leave it out of trust afterwards."
  }
}

variable "importable" {
  description = "The algorithms whose keys the importer may fill and prove."
  type        = list(string)
  default     = ["HS256", "RS256"]
  nullable    = false

  validation {
    condition     = length(var.importable) > 0 && length(distinct(var.importable)) == length(var.importable)
    error_message = "Name each algorithm once, and at least one; where nothing is imported, leave the importer out of trust."
  }

  validation {
    condition     = alltrue([for alg in var.importable : contains(keys(local.kms_algorithms), alg)])
    error_message = "AWS KMS takes keys of ${join(", ", keys(local.kms_algorithms))}: choose from these."
  }
}

variable "imported_keys" {
  description = "Keys that `chancery import` made, by key@n: their ARN (in KMS such a key is described as Chancery key@n) and algorithm. The signer gets these in addition to what Terraform made."
  type = map(object({
    arn = string
    alg = string
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.imported_keys) : can(regex("^[a-z][a-z0-9-]{0,62}@[1-9][0-9]*$", name))])
    error_message = "Name each by its version, as `chancery keys list` does: github-bot@1."
  }

  validation {
    condition     = length(distinct([for one in values(var.imported_keys) : one.arn])) == length(var.imported_keys)
    error_message = "Two versions are one KMS key: each has a key of its own, described in KMS by its version."
  }

  validation {
    condition     = alltrue([for one in values(var.imported_keys) : can(regex("^arn:${var.partition}:kms:${var.region}:${var.account_id}:key/[A-Za-z0-9-]+$", one.arn))])
    error_message = "Name each key by its full ARN, of this region and account, never by an alias or a wildcard."
  }

  validation {
    condition     = alltrue([for one in values(var.imported_keys) : contains(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"], one.alg)])
    error_message = "AWS KMS signs with RS, PS or ES 256, 384 and 512, EdDSA and HS256, HS384, HS512: say the algorithm of each key."
  }
}

variable "recoverers" {
  description = "Roles that exist already, by ARN, which people take in an emergency (break glass): they may repair a key's policy, and delete keys. They are handed on to the keys; nothing is made of them here."
  type        = list(string)
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.recoverers : can(regex("^arn:${var.partition}:iam::${var.account_id}:role/[A-Za-z0-9+=,.@_/-]+$", arn))])
    error_message = "Name roles of this account by their full ARN, without wildcards: arn:${var.partition}:iam::${var.account_id}:role/…"
  }

  validation {
    condition     = !anytrue([for arn in var.recoverers : strcontains(arn, ":role/chancery/")])
    error_message = "A role below /chancery/ has a duty of its own: name one that nothing runs as."
  }

  validation {
    condition     = length(distinct(var.recoverers)) == length(var.recoverers)
    error_message = "A role is named twice: name it once."
  }
}

variable "tag_names" {
  description = "Names of the tags that you put on keys beside our own: those of the key modules' `tags`, and of the provider's default_tags. The provisioner puts no others."
  type        = list(string)
  default     = []
  nullable    = false

  # https://docs.aws.amazon.com/kms/latest/APIReference/API_Tag.html
  validation {
    condition     = alltrue([for name in var.tag_names : can(regex("^[A-Za-z0-9 _.:/=+@-]{1,128}$", name))])
    error_message = "Name each tag exactly, with at most 128 letters, digits, spaces and _ . : / = + - @, without wildcards: cost-center."
  }

  validation {
    condition     = !anytrue([for name in var.tag_names : startswith(lower(name), "chancery:") || startswith(lower(name), "aws:")])
    error_message = "Tags that begin with chancery: are our own, which the provisioner has already, and those with aws: are AWS's: name yours alone."
  }

  validation {
    condition     = length(distinct(var.tag_names)) == length(var.tag_names)
    error_message = "A tag is named twice: name it once."
  }
}
