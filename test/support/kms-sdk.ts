import { GetPublicKeyCommand, type KMSClient, VerifyMacCommand } from '@aws-sdk/client-kms'
import { createPublicKey } from 'node:crypto'
import type { EndToEnd } from '../conformance/end-to-end.ts'

/** What the vendor's SDK learns of keys in KMS, with none of our own code in between. */
export function askedOfKms(sdk: KMSClient) {
  return {
    async publicKey(KeyId) {
      const { PublicKey } = await sdk.send(new GetPublicKeyCommand({ KeyId }))
      return createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' })
    },

    async verifiesMac(KeyId, { hash }, Message, Mac) {
      const MacAlgorithm = macAlgorithms[hash]
      const asked = new VerifyMacCommand({ KeyId, MacAlgorithm, Message, Mac })
      const { MacValid } = await sdk.send(asked)
      return MacValid === true
    },
  } as const satisfies Pick<EndToEnd, 'publicKey' | 'verifiesMac'>
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_VerifyMac.html */
const macAlgorithms = {
  sha256: 'HMAC_SHA_256',
  sha384: 'HMAC_SHA_384',
  sha512: 'HMAC_SHA_512',
} as const
