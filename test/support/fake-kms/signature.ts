import { KMSClient } from '@aws-sdk/client-kms'
import { hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { KmsFault } from './fault.ts'
import { accountSecret, region } from './keys.ts'
import type { Accepted } from './wire.ts'

type Signer = Awaited<ReturnType<KMSClient['config']['signer']>>

/** By access key: the vendor's own signer, in whose place the service computes a signature again. */
const signers = new Map<string, Promise<Signer>>()

function signerOf(accessKeyId: string): Promise<Signer> {
  const credentials = { accessKeyId, secretAccessKey: accountSecret }
  const made = () =>
    new KMSClient({ region, endpoint: 'http://127.0.0.1', credentials }).config.signer({
      name: 'sigv4',
      signingName: 'kms',
      signingRegion: region,
      properties: {},
    })
  const signer = signers.get(accessKeyId) ?? made()
  signers.set(accessKeyId, signer)
  return signer
}

/**
 * Whether whoever has the account's secret has signed this request, and nobody has changed it since.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export async function assertGenuine(
  { method = '', headers }: IncomingMessage,
  body: string,
  { accessKeyId, signedHeaders, signature, at }: Accepted,
): Promise<void> {
  const signer = await signerOf(accessKeyId)
  const signed = await signer.sign(
    {
      method,
      protocol: 'http:',
      hostname: '127.0.0.1',
      path: '/',
      query: {},
      headers: Object.fromEntries(signedHeaders.map((name) => [name, String(headers[name])])),
      body,
    },
    { signingDate: at },
  )
  // The signer believes what a header says of the body.
  const isOfBody = headers['x-amz-content-sha256'] === hash('sha256', body)
  const authorization = signed.headers['authorization'] ?? ''
  if (isOfBody && authorization.endsWith(`Signature=${signature}`)) return
  const words = 'The request signature we calculated does not match the signature you provided.'
  throw new KmsFault('InvalidSignatureException', words)
}
