output "json" {
  description = "The policy, as KMS takes it."
  value       = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}
