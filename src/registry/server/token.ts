import { credentialId, isCredential, noCredential } from '../../lib/credential.ts'

export const roles = ['admin', 'reader'] as const
export type Role = (typeof roles)[number]

/** What is kept of a token: its public id and the SHA-256 of its text. */
export type Token = {
  readonly id: string
  readonly organization: string
  readonly role: Role
  readonly sha256: Uint8Array
  readonly createdAt: number
  readonly revokedAt: number | undefined
}

/** Who asks, after proof. */
export type Bearer = Pick<Token, 'id' | 'organization' | 'role'>

/**
 * Finds the token by its public id, and compares digests in constant time; unknown, wrong and revoked
 * ones look alike.
 */
export async function authenticate(
  bearer: string | undefined,
  find: (id: string) => Promise<Token | undefined>,
): Promise<Bearer | undefined> {
  const id = bearer === undefined ? undefined : credentialId('chr', bearer)
  if (bearer === undefined || id === undefined) return undefined
  const token = await find(id)
  const isProved = isCredential(bearer, token?.sha256 ?? noCredential)
  if (!token || !isProved || token.revokedAt !== undefined) return undefined
  return { id, organization: token.organization, role: token.role }
}

export type Needs = 'read' | 'write'

export type Permission = 'allowed' | 'role_too_small' | 'not_found'

/** Pure. Of another organization nothing can be learnt, not even that it is there. */
export function permit(
  { organization, role }: Bearer,
  asked: { readonly organization: string; readonly needs: Needs },
): Permission {
  if (organization !== asked.organization) return 'not_found'
  return asked.needs === 'read' || role === 'admin' ? 'allowed' : 'role_too_small'
}
