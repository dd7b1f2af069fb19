import { z } from 'zod'
import type { Cloud } from '../../terraform/testing/cloud.ts'
import type { FakeKms } from './fake-kms.ts'
import { kmsCloud } from './terraform-kms.ts'
import { namingCloud } from './terraform-policies.ts'

const named = z.object({ name: z.string() })

/** AWS is the fake KMS; Azure names what is made, and makes nothing. */
export function bothClouds(kms: FakeKms): Cloud {
  const aws = kmsCloud(kms)
  let identities = 0
  const azure: Cloud = {
    ...namingCloud,
    create(type, planned) {
      const made = namingCloud.create(type, planned)
      if (type === 'azurerm_key_vault_key') {
        const { name } = named.parse(planned)
        return { ...made, versionless_id: `https://acme-chancery.vault.azure.net/keys/${name}` }
      }
      if (type !== 'azurerm_user_assigned_identity') return made
      identities += 1
      return {
        ...made,
        principal_id: `00000000-0000-4000-8000-${String(identities).padStart(12, '0')}`,
      }
    },
  }
  const of = (type: string) => (type.startsWith('aws_') ? aws : azure)
  return {
    create: (type, planned) => of(type).create(type, planned),
    change: (type, planned) => of(type).change(type, planned),
    refresh: (type, state) => of(type).refresh(type, state),
    read: (type, asked) => of(type).read(type, asked),
  }
}
