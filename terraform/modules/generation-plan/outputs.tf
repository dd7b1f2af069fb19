output "generations" {
  description = "By generation: its name in the vault, its state, and whether Terraform lets it sign."
  value = {
    for generation, one in var.generations : generation => {
      name              = local.names[generation]
      state             = one.state
      may_sign          = one.state == "enabled"
      initial           = one.initial
      created           = one.created
      public_key_sha256 = one.public_key_sha256
    }
  }
}

output "modulus_bits" {
  description = "The size of an RSA key, 3072 where nothing was said; null for every other algorithm."
  value       = contains(["R", "P"], substr(var.alg, 0, 1)) ? coalesce(var.modulus_bits, 3072) : null
}
