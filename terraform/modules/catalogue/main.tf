# Pure: what the providers answered, in the form that Chancery reads.

locals {
  resources = flatten([for one in values(var.keys) : [for generation in values(one.generations) : generation.resource]])

  # Key ARNs, and Key Vault key ids without a version. An alias or a version would be a moving pointer or a stale one.
  arn          = "^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$"
  vault_key_id = "^https://[a-z0-9.-]+/keys/[A-Za-z0-9-]+$"

  catalogue = {
    schema_version = 1
    environment    = var.environment
    keys = {
      for name, one in var.keys : name => {
        vault = one.vault
        alg   = one.alg
        generations = {
          for generation, what in one.generations : generation => merge(
            { resource = what.resource, state = what.state },
            what.initial == null ? {} : { initial = what.initial },
            what.public_key_sha256 == null ? {} : { public_key_sha256 = what.public_key_sha256 },
            what.created == null ? {} : { created = what.created },
          )
        }
      }
    }
    revoked = var.revoked
    meta    = var.meta
  }
}
