# Pure: what the providers answered, in the form that Chancery reads.

locals {
  # What may still sign or verify stays: a module block that is taken out takes its prevent_destroy along.
  previous_keys = try(var.previous_catalogue.keys, {})
  needed        = { for name, one in local.previous_keys : name => [for generation, what in one.generations : generation if what.state != "disabled"] }
  missing       = [for name, generations in local.needed : name if !contains(keys(var.keys), name) && length(generations) > 0]
  dropped       = flatten([for name, generations in local.needed : [for generation in generations : "${name} ${generation}" if !can(var.keys[name].generations[generation])] if contains(keys(var.keys), name)])
  changed       = [for name, one in local.previous_keys : name if contains(keys(var.keys), name) && try([one.vault, one.alg] != [var.keys[name].vault, var.keys[name].alg], false)]
  moved         = flatten([for name, one in local.previous_keys : [for generation, what in one.generations : "${name} ${generation}" if try(var.keys[name].generations[generation].resource != what.resource, false)]])

  # A key module sees these only where it is given the catalogue in force, too: here it always is.
  states   = ["pending", "enabled", "retiring", "disabled"]
  back     = flatten([for name, one in local.previous_keys : [for generation, what in one.generations : "${name} ${generation}" if try(index(local.states, var.keys[name].generations[generation].state), 3) < index(local.states, what.state)]])
  inserted = flatten([for name, one in local.previous_keys : [for generation in keys(try(var.keys[name].generations, {})) : "${name} ${generation}" if reverse(sort(concat(keys(one.generations), [generation])))[0] != generation && !contains(keys(one.generations), generation)]])
  resized  = [for name, spec in try(var.previous_catalogue.meta.specs, {}) : name if try(var.keys[name].spec != spec, false)]
  forgiven = setsubtract(try(var.previous_catalogue.revoked, []), var.revoked)

  specs = { for name, one in var.keys : name => one.spec if one.spec != null }

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
    meta    = merge(var.meta, length(local.specs) == 0 ? {} : { specs = local.specs })
  }

  # The same, without what only the apply makes known. Wholly known at every plan, and the same after the apply.
  planned = merge(local.catalogue, {
    keys = {
      for name, one in local.catalogue.keys : name => merge(one, {
        generations = {
          for generation, what in one.generations : generation => { for member, value in what : member => value if member != "resource" }
        }
      })
    }
  })
}
