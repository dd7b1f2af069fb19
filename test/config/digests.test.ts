import { describe, expect, test } from 'vitest'
import { algorithmNames, type AlgorithmName } from '../../src/signing/algorithms.ts'
import { changed, complaintsOf } from '../support/config-text.ts'

/** Which algorithms a vault signs digests with: all others are refused before anything is asked. */
const able: Readonly<Record<string, readonly AlgorithmName[]>> = {
  local: ['RS256', 'RS384', 'RS512'],
  aws: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'],
  azure: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'],
}

const withAws = changed(
  '\nkeys:\n',
  '\n  aws: { provider: aws-kms, region: eu-central-1 }\n  azure: { provider: azure-key-vault, vaultUrl: https://acme.vault.azure.net, credential: managed-identity }\nkeys:\n',
)

function granting(vault: string, alg: AlgorithmName): string {
  const key = `documents:\n    vault: ${vault}\n    alg: ${alg}`
  const text = changed('documents:\n    vault: local\n    alg: HS256', key, withAws)
  return changed('[sign-message]', '[sign-digest]', text)
}

describe.each(Object.entries(able))('in vault %s', (vault, names) => {
  test.each(algorithmNames)(
    'sign-digest with %s is granted where it can be, and only there',
    (alg) => {
      const complaints = complaintsOf(granting(vault, alg))
      const remedy = `vault ${vault} signs no digests with ${alg}: grant sign-message in its place`
      const refused = [{ path: 'grants[1].operations', message: expect.stringContaining(remedy) }]
      const ofGrants = complaints.filter(({ path }) => path.startsWith('grants'))
      expect(ofGrants).toEqual(names.includes(alg) ? [] : refused)
      expect(complaints.length).toBe(ofGrants.length + (isUnable(vault, alg) ? 1 : 0))
    },
  )
})

/** Of which the key itself is an error. */
function isUnable(vault: string, alg: AlgorithmName): boolean {
  return vault === 'azure' && !(able['azure'] ?? []).includes(alg)
}

test('a vault that is not there is one complaint, and not two', () => {
  const complaints = complaintsOf(granting('nowhere', 'EdDSA'))
  expect(complaints.map(({ path }) => path)).toEqual(['keys.documents.vault'])
})
