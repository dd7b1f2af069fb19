import { z } from 'zod'
import type { Cloud } from '../../terraform/testing/cloud.ts'
import type { FakeKms } from './fake-kms.ts'
import { permits } from './key-policy.ts'

const role = z.object({ name: z.string(), path: z.string() })
const key = z.object({
  customer_master_key_spec: z.string(),
  key_usage: z.string(),
  multi_region: z.boolean(),
  policy: z.string(),
})
const named = z.object({ arn: z.string() })
const requestBody = z.looseObject({
  KeyId: z.string().optional(),
  SigningAlgorithm: z.string().optional(),
  MacAlgorithm: z.string().optional(),
  MessageType: z.string().optional(),
})

/**
 * The fake KMS as Terraform's provider would fill it: `apply` makes keys there, with their policies, and
 * what is not allowed by a key's policy is denied from then on. An access key is a role of that name.
 */
export function kmsCloud(kms: FakeKms): Cloud {
  const policies = new Map<string, string>()
  kms.world.mayCall = (accessKeyId, action, body) => {
    const { KeyId = '', SigningAlgorithm, MacAlgorithm, MessageType } = requestBody.parse(body)
    const context = Object.entries({
      'kms:SigningAlgorithm': SigningAlgorithm,
      'kms:MacAlgorithm': MacAlgorithm,
      'kms:MessageType': MessageType,
    })
    const policy = policies.get(KeyId)
    return (
      policy !== undefined &&
      permits(policy, {
        principal: roleArn('/chancery/', accessKeyId),
        action: `kms:${action}`,
        context: Object.fromEntries(
          context.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
        ),
      })
    )
  }
  return {
    create(type, planned) {
      if (type === 'aws_iam_role') {
        const { name, path } = role.parse(planned)
        return { id: name, arn: roleArn(path, name), unique_id: 'AROAEXAMPLE' }
      }
      if (type !== 'aws_kms_key') return { id: 'an-id' }
      const { customer_master_key_spec, key_usage, multi_region, policy } = key.parse(planned)
      const { arn, id } = kms.add(customer_master_key_spec, {
        usage: key_usage,
        multiRegion: multi_region,
      })
      policies.set(arn, policy)
      return { id, arn, key_id: id, tags_all: planned['tags'] }
    },
    change(type, planned) {
      if (type === 'aws_kms_key') policies.set(named.parse(planned).arn, key.parse(planned).policy)
    },
    refresh(type, state) {
      if (type !== 'aws_kms_key') return {}
      return { is_enabled: kms.keyAt(named.parse(state).arn).state === 'Enabled' }
    },
    read: (type) => {
      throw new Error(`there is no ${type} in KMS`)
    },
  }
}

function roleArn(path: string, name: string): string {
  return `arn:aws:iam::111122223333:role${path}${name}`
}
