# One role for each duty. What a role may do with a key that Terraform makes stands on that key alone
# (key-policy-aws): here is only what has no key to stand on.

locals {
  names = { for duty in keys(var.trust) : duty => "chancery-${var.environment}-${duty}" }
  keys  = "arn:${var.partition}:kms:${var.region}:${var.account_id}:key/*"

  # The shortest that IAM takes: a session that was begun within the time of `until` ends soon after it.
  session_seconds = 3600

  trust = {
    for duty, one in var.trust : duty => {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "OneWorkload"
        Effect    = "Allow"
        Principal = { Federated = one.provider_arn }
        Action    = "sts:AssumeRoleWithWebIdentity"
        Condition = merge(
          {
            StringEquals = {
              "${split("oidc-provider/", one.provider_arn)[1]}:aud" = one.audience
              "${split("oidc-provider/", one.provider_arn)[1]}:sub" = one.subject
            }
          },
          one.until == null ? {} : { DateLessThan = { "aws:CurrentTime" = one.until } },
        )
      }]
    }
  }

  # https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
  kms_algorithms = {
    RS256 = "RSASSA_PKCS1_V1_5_SHA_256"
    RS384 = "RSASSA_PKCS1_V1_5_SHA_384"
    RS512 = "RSASSA_PKCS1_V1_5_SHA_512"
    PS256 = "RSASSA_PSS_SHA_256"
    PS384 = "RSASSA_PSS_SHA_384"
    PS512 = "RSASSA_PSS_SHA_512"
    ES256 = "ECDSA_SHA_256"
    ES384 = "ECDSA_SHA_384"
    ES512 = "ECDSA_SHA_512"
    EdDSA = "ED25519_SHA_512"
    HS256 = "HMAC_SHA_256"
    HS384 = "HMAC_SHA_384"
    HS512 = "HMAC_SHA_512"
  }

  # Belts of whoever makes keys. They deny what is said, and not what is left out: a condition in an Allow
  # would refuse every request that does not carry the key.
  # https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-bypass-policy-lockout-safety-check
  never = [
    {
      Sid       = "NeverWithoutTheLockoutCheck"
      Effect    = "Deny"
      Action    = ["kms:CreateKey", "kms:PutKeyPolicy"]
      Resource  = "*"
      Condition = { Bool = { "kms:BypassPolicyLockoutSafetyCheck" = "true" } }
    },
    {
      Sid       = "NeverInSeveralRegions"
      Effect    = "Deny"
      Action    = ["kms:CreateKey"]
      Resource  = "*"
      Condition = { Bool = { "kms:MultiRegion" = "true" } }
    },
  ]

  statements = {
    signer      = concat(local.sign_imported, local.read_imported)
    rotator     = concat(local.read_imported, local.disable_imported)
    importer    = local.importer
    provisioner = local.provisioner
    auditor     = []
  }

  policies = { for duty in keys(var.trust) : duty => { Version = "2012-10-17", Statement = local.statements[duty] } }
}

resource "aws_iam_role" "duty" {
  for_each = var.trust

  name                 = local.names[each.key]
  path                 = "/chancery/"
  description          = "Chancery ${var.environment}: ${each.key}"
  assume_role_policy   = jsonencode(local.trust[each.key])
  max_session_duration = local.session_seconds
}

resource "aws_iam_role_policy" "duty" {
  for_each = toset([for duty in keys(var.trust) : duty if length(local.statements[duty]) > 0])

  name   = "chancery"
  role   = aws_iam_role.duty[each.key].name
  policy = jsonencode(local.policies[each.key])
}
