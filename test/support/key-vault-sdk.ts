import { ClientCertificateCredential } from '@azure/identity'
import { KeyClient } from '@azure/keyvault-keys'
import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { AzureFiles } from './azure-vault.ts'
import type { FakeKeyVault } from './fake-key-vault.ts'
import { clientId, tenant } from './fake-key-vault/tokens.ts'

/** The vendor's own SDK, as an application that the fake knows. */
export function keyVaultSdk({ origin, ca }: FakeKeyVault, { certificateFile }: AzureFiles) {
  const tlsOptions = { ca }
  const certificate = readFileSync(certificateFile, 'utf8')
  const authority = { authorityHost: origin, disableInstanceDiscovery: true, tlsOptions }
  const identity = new ClientCertificateCredential(tenant, clientId, { certificate }, authority)
  const disableChallengeResourceVerification = true
  return new KeyClient(origin, identity, { disableChallengeResourceVerification, tlsOptions })
}

/** What the SDK learns of a version, with none of our own code in between. */
export async function publicKeyFrom(sdk: KeyClient, resource: string): Promise<KeyObject> {
  const [name = '', version = ''] = new URL(resource).pathname.split('/').slice(2)
  const { key = {} } = await sdk.getKey(name, { version })
  const { kty = '', crv, n, e, x, y } = key
  const text = (bytes: Uint8Array = new Uint8Array()) => Buffer.from(bytes).toString('base64url')
  const members = crv === undefined ? { n: text(n), e: text(e) } : { crv, x: text(x), y: text(y) }
  return createPublicKey({ key: { kty, ...members }, format: 'jwk' })
}
